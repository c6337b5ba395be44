#!/usr/bin/env bash
# The release is one file that runs anywhere: static, stripped, small, and linked without a warning.
# glibc would warn about a function that loads shared libraries.
set -euo pipefail
binary=${BPFTRAP_BIN:?} build=${BPFTRAP_BUILD_DIR:?}
limit=$((3500 * 1000))

complain() {
  echo "$binary: $*" >&2
  exit 1
}

# ldd returns 1 if there are no shared libraries.
linkage=$(ldd "$binary" 2>&1 || true)
[[ $linkage == *"not a dynamic executable"* ]] || complain "not static: $linkage"

sections=$(readelf --wide --section-headers "$binary")
[[ $sections != *.symtab* && $sections != *.debug_* ]] || complain "not stripped"

size=$(stat -c %s "$binary")
((size <= limit)) || complain "$size bytes, more than $limit"

# Runs the linker again, as the build calls it, with another output file.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
command=$(ninja -C "$build" -t commands bpftrap | tail -n 1)
[[ $command == *" -o bpftrap "* ]] || complain "no link command: $command"
warnings=$(cd "$build" && bash -c "${command/ -o bpftrap / -o "$scratch/bpftrap" }" 2>&1)
[[ -z $warnings ]] || complain "$warnings"
cmp -s "$binary" "$scratch/bpftrap" || complain "not what the sources at hand link to"

# The binary must contain no directory of the build machine.
! grep -qF "$(dirname "$build")/" "$binary" || complain "names the directory it was built in"
