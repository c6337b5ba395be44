#!/usr/bin/env bash
# Builds what is released: a Debian package and a tarball for x86-64 and arm64, with checksums. Two runs
# of one commit give the same bytes.
set -euo pipefail
umask 022 # CPack writes it into the package
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh

usage() {
  cat <<'END'
usage: vendor/release.sh [--processor amd64|arm64] [--maintainer TEXT] [--output DIR] [--help]

Builds the last commit, without changes that are not committed, into DIR.

  --processor NAME    only for this one (default: both; arm64 needs the build for amd64, too)
  --maintainer TEXT   of the Debian package: 'NAME <ADDRESS>'
  --output DIR        default: build-release
  --help              show this
END
}

wrong() {
  echo "vendor/release.sh: $1, see --help" >&2
  exit 2
}

processors=(amd64 arm64)
output=$root/build-release
options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --processor | --maintainer | --output) [[ $# -ge 2 ]] || wrong "$1 needs a value" ;;&
    --processor)
      [[ $2 == amd64 || $2 == arm64 ]] || wrong "--processor: unknown '$2'; expected amd64 or arm64"
      processors=("$2")
      shift
      ;;
    --maintainer) options+=("-DBPFTRAP_MAINTAINER=$2") && shift ;;
    --output) output=$(realpath -m "$2") && shift ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) wrong "unknown option '$1'" ;;
  esac
  shift
done
if [[ $(uname -m) != x86_64 ]]; then
  echo "vendor/release.sh: runs on x86-64 only, where the compilers for both processors are" >&2
  exit 1
fi

purposes=(build)
[[ " ${processors[*]} " != *" arm64 "* ]] || purposes+=(cross)
ensure_packages "${purposes[@]}"

# build PROCESSOR CMAKE-OPTION...: of the committed sources, in their own directory.
build() {
  local processor=$1
  shift
  cmake -S "$source" --preset release -B "$builds/$processor" "${options[@]}" "$@" >/dev/null
  cmake --build "$builds/$processor" --target bpftrap manual
}

# pack PROCESSOR: the packages of a build, into the output directory.
pack() {
  if grep -qF "$root/" "$builds/$1/bpftrap"; then
    echo "vendor/release.sh: bpftrap for $1 contains the path $root, so its bytes depend on it" >&2
    return 1
  fi
  cpack --config "$builds/$1/CPackConfig.cmake" -G DEB -B "$output" >/dev/null
  rm -rf "$output/_CPack_Packages"
  "$source/vendor/package/tarball.sh" "$builds/$1" "$output" >/dev/null
}

builds=$root/build-release/builds
source=$builds/source
rm -rf "$builds" && mkdir -p "$source" "$output"
rm -f "$output"/bpftrap[-_]*.{deb,tar.gz} "$output/SHA256SUMS"
git archive HEAD | tar -x -C "$source"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# Man pages and completions of the other build come from this one.
build amd64
[[ " ${processors[*]} " != *" amd64 "* ]] || pack amd64
if [[ " ${processors[*]} " == *" arm64 "* ]]; then
  (
    work=$root/build-vm # shared with tests/vm/run.sh
    mkdir -p "$work"
    # shellcheck source=tests/vm/debian.sh
    source tests/vm/debian.sh
    # shellcheck source=tests/vm/guest.sh
    source tests/vm/guest.sh
    make_arm64_sysroot
  )
  BPFTRAP_SYSROOT=$root/build-vm/arm64.sysroot build arm64 -DBPFTRAP_MANUAL="$builds/amd64/manual" \
    -DCMAKE_TOOLCHAIN_FILE="$source/tests/vm/aarch64.cmake"
  pack arm64
fi
cd "$output"
sha256sum bpftrap[-_]*.{deb,tar.gz} >SHA256SUMS
cat SHA256SUMS
