#!/usr/bin/env bash
# docs/building.md must name every Fedora and Arch package that parts.txt has for the build.
set -euo pipefail

# command_of MANAGER: the page's command for that package manager, on one line.
command_of() {
  sed -e ':join' -e '/\\$/{N;s/\\\n//;b join}' docs/building.md | grep "^    $1 "
}
dnf=$(command_of dnf)
pacman=$(command_of pacman)

status=0
while IFS='|' read -r part _least purpose _debian fedora arch; do
  [[ $part != \#* && ${purpose// /} == build ]] || continue
  for package in $fedora; do
    [[ " $dnf " == *" $package "* ]] || { echo "Fedora's $package is not mentioned"; status=1; }
  done
  for package in $arch; do
    [[ " $pacman " == *" $package "* ]] || { echo "Arch's $package is not mentioned"; status=1; }
  done
done <vendor/parts.txt
exit $status
