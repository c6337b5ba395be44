#!/usr/bin/env bash
# Missing packages: as root, vendor/build.sh installs exactly those. As another user it prints the
# command and stops. dpkg-query, apt-get and id are replaced by stand-ins.
set -euo pipefail
command -v apt-get >/dev/null || exit 77 # not Debian
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

complain() {
  echo "$*" >&2
  exit 1
}

stand_in() {
  printf '#!/bin/bash\n%s\n' "$2" >"$scratch/$1"
  chmod +x "$scratch/$1"
}

# All packages except two are installed.
# shellcheck disable=SC2016
stand_in dpkg-query '
case ${!#} in
  ninja-build) echo not-installed; exit 0 ;;
  libfmt-dev) echo "no packages found matching libfmt-dev" >&2; exit 1 ;;
  *) echo installed ;;
esac'
# shellcheck disable=SC2016
stand_in apt-get "echo \"\$*\" >>$scratch/calls"
# shellcheck disable=SC2016
stand_in id "echo \${FAKE_UID:-0}"
export PATH=$scratch:$PATH

status=0
output=$(FAKE_UID=1000 vendor/build.sh 2>&1) || status=$?
[[ $status -eq 1 ]] || complain "without root: status $status"
commands=$(grep -c 'sudo apt-get install -y' <<<"$output")
[[ $commands -eq 1 && $output == *" ninja-build libfmt-dev" ]] || complain "without root: $output"
[[ ! -e $scratch/calls ]] || complain "without root apt-get was called: $(cat "$scratch/calls")"

bash -c 'set -euo pipefail; source vendor/packages.sh; ensure_packages build run' 2>/dev/null
[[ $(head -n 1 "$scratch/calls") == update* ]] || complain "lists were not updated first"
[[ $(sed -n '2,$p' "$scratch/calls") == "install "*" ninja-build libfmt-dev" ]] ||
  complain "installed: $(cat "$scratch/calls")"

rm "$scratch/calls"
stand_in dpkg-query 'echo installed'
bash -c 'set -euo pipefail; source vendor/packages.sh; ensure_packages build run test check'
[[ ! -e $scratch/calls ]] || complain "nothing is missing, and yet: $(cat "$scratch/calls")"

status=0
output=$(vendor/build.sh --no-such-option 2>&1) || status=$?
[[ $status -eq 2 && $(wc -l <<<"$output") -eq 1 && $output == *--no-such-option* ]] ||
  complain "unknown option: status $status, $output"
