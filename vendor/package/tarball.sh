#!/usr/bin/env bash
# tarball.sh BUILD DIRECTORY: packs what the build in BUILD installs, with install.sh, into
# DIRECTORY/bpftrap-VERSION-linux-PROCESSOR.tar.gz, and prints that path. Two runs give the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1 directory=$2

# value VARIABLE: of CMake's, as the build has it.
value() {
  sed -n "s/^set(CPACK_$1 \"\(.*\)\")\$/\1/p" "$build/CPackConfig.cmake"
}

name=bpftrap-$(value PACKAGE_VERSION)-linux-$(value BPFTRAP_PROCESSOR)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage/$name cmake --install "$build" --prefix / >/dev/null
cp vendor/package/install.sh LICENSE README.md "$stage/$name/"
tar --sort=name --mtime="@$(value BPFTRAP_EPOCH)" --owner=0 --group=0 --numeric-owner \
  --mode=u=rwX,go=rX --format=ustar -C "$stage" -cf - "$name" | gzip -9n >"$directory/$name.tar.gz"
echo "$directory/$name.tar.gz"
