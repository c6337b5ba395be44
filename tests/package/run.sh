#!/usr/bin/env bash
# Builds the package and the tarball, checks what is in them, and installs them into a fresh Debian.
# Ends with how many cases passed, failed and were skipped.
# shellcheck disable=SC2317 # functions that check() calls
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/tally.sh
source tests/tally.sh
# shellcheck source=tests/vm/debian.sh
source tests/vm/debian.sh

usage() {
  cat <<'END'
usage: tests/package/run.sh [OPTIONS]

The fresh Debian is fetched once, and kept in build-package/.

  --release   also build the release twice, as vendor/release.sh does, and compare
  --ci        what is skipped has failed; so it is where CI=true is set
  --help      show this
END
}

ci=false
release=false
[[ ${CI:-} != true ]] || ci=true
while [[ $# -gt 0 ]]; do
  case $1 in
    --release) release=true ;;
    --ci) ci=true ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "tests/package/run.sh: unknown option '$1', see --help" >&2
      exit 2
      ;;
  esac
  shift
done

# Man pages: neither mandoc nor man has anything to say.
check_pages() {
  local page commands
  for page in "$build"/manual/*.1.gz; do
    gunzip -c "$page" >"$scratch/page.1"
    mandoc -T lint -W style "$scratch/page.1" || return
    [[ -z $(LC_ALL=C MANWIDTH=80 man --warnings -E ascii -l "$scratch/page.1" 2>&1 >/dev/null) ]] ||
      return
  done
  commands=$(sed -n 's/^COMMAND(\([a-z0-9_]*\),.*/\1/p' src/cli/commands.def)
  for page in $commands; do
    # Every option of --help is in the page.
    "$build/bpftrap" "$page" --help | grep -oE -e '--[a-z][a-z-]+' | sort -u |
      while IFS= read -r option; do
        man -E ascii -l "$build/manual/bpftrap-$page.1.gz" 2>/dev/null | grep -qF -e "$option" ||
          { echo "bpftrap-$page(1) lacks $option" && exit 1; }
      done || return
  done
}

# `cmake --install` honours DESTDIR and a prefix.
check_install() {
  local path
  DESTDIR=$scratch/destination cmake --install "$build" --prefix /opt/tracer >/dev/null || return
  for path in bin/bpftrap share/man/man1/bpftrap.1.gz share/bpftrap/records.schema.json \
    share/bash-completion/completions/bpftrap share/zsh/site-functions/_bpftrap \
    share/fish/vendor_completions.d/bpftrap.fish share/doc/bpftrap/{LICENSE,exec.md} \
    share/bpftrap/fleet/{schema.sql,ship.sh}; do
    [[ -s $scratch/destination/opt/tracer/$path ]] || { echo "no $path"; return 1; }
  done
  [[ -x $scratch/destination/opt/tracer/share/bpftrap/fleet/ship.sh ]] || { echo "ship.sh"; return 1; }
  [[ $(ls "$scratch/destination") == opt && ! -e $scratch/destination/opt/tracer/share/lintian ]]
}

check_deb() {
  lintian --allow-root --fail-on error,warning "$deb" || return
  # The static file needs and wants nothing. The scripts belong to the service.
  [[ -z $(dpkg-deb -f "$deb" Depends Recommends Suggests Pre-Depends) ]] || return
  [[ $(dpkg-deb --ctrl-tarfile "$deb" | tar -t | sort | xargs) == \
    './control ./md5sums ./postinst ./postrm ./prerm' ]]
}

# Made at another time and in another directory, both have the same bytes.
check_same_bytes() {
  cp "$deb" "$scratch/first.deb" && cp "$archive" "$scratch/first.tar.gz" &&
    touch README.md "$build/bpftrap" &&
    (cd / && cpack --config "$build/CPackConfig.cmake" -B "$scratch" >/dev/null) &&
    (umask 077 && cd / && "$root/vendor/package/tarball.sh" "$build" "$scratch" >/dev/null) &&
    cmp "$scratch/first.deb" "$scratch/${deb##*/}" && cmp "$scratch/first.tar.gz" "$scratch/${archive##*/}"
}

# The service gives up what it does not need. systemd rates it from 0 (safe) to 10.
check_service() {
  local rating unit
  dpkg-deb -x "$deb" "$scratch/unpacked" || return
  for path in systemd/system/bpftrap.service sysusers.d/bpftrap.conf tmpfiles.d/bpftrap.conf; do
    [[ -s $scratch/unpacked/usr/lib/$path ]] || { echo "no $path"; return 1; }
  done
  unit=$scratch/unpacked/usr/lib/systemd/system/bpftrap.service
  # A threshold of 2.0. The command prints the reasons if it is exceeded.
  rating=$(systemd-analyze security --offline=true --threshold=20 "$unit" 2>&1) ||
    { echo "$rating"; return 1; }
}

check_release() {
  vendor/release.sh --output "$scratch/one" && vendor/release.sh --output "$scratch/two" &&
    diff -r "$scratch/one" "$scratch/two"
}

# make_root: a minimal Debian of this machine's release and mirror, in $work/root.
make_root() {
  local release
  [[ ! -e $work/root.complete ]] || return 0
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  rm -rf "$work/root"
  debootstrap --variant=minbase --include=man-db "$release" "$work/root" "$(mirror_of "$release")" \
    >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log"; return 1; }
  touch "$work/root.complete"
}

# make_old_deb: an older version, with a file that the new one does not have.
make_old_deb() {
  dpkg-deb -R "$deb" "$scratch/old" && sed -i 's/^Version:.*/Version: 0.0.1/' "$scratch/old/DEBIAN/control" &&
    echo old >"$scratch/old/usr/share/bpftrap/left-by-old-version" &&
    dpkg-deb --root-owner-group -b "$scratch/old" "$scratch/old.deb" >/dev/null
}

check_root() {
  [[ $(id -u) -eq 0 ]] || { echo "needs root"; return 77; }
  make_root && BPFTRAP_ROOT=$work/root tests/package/root.sh "$@"
}

purposes=(build package)
[[ $(id -u) -ne 0 ]] || purposes+=(run)
ensure_packages "${purposes[@]}" || exit 1
work=$root/build-package
build=$root/build
mkdir -p "$work"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "== package"
if ! cmake --workflow --preset package >"$scratch/log" 2>&1; then
  cat "$scratch/log"
  fail "package: build"
  finish
fi
deb=$(ls "$build"/bpftrap_*.deb)
archive=$(vendor/package/tarball.sh "$build" "$scratch")
check "man pages" check_pages
for shell in bash zsh fish; do
  check "completions of $shell" tests/package/completions.sh "$shell" "$build/manual"
done
check "cmake --install" check_install
check "lintian" check_deb
check "service" check_service
check "same bytes" check_same_bytes
make_old_deb
check "package in a fresh root" check_root deb "$scratch/old.deb" "$deb"
check "tarball in a fresh root" check_root tarball "$archive"
! $release || check "release" check_release
finish
