#!/usr/bin/env bash
# If a third-party part is missing or too old, configuration must end with a message. It names the part,
# the minimum version, the version that was found, and the packages.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# expect SENTENCE ARGUMENTS...: configures with the arguments; that must fail and print the sentence.
expect() {
  local sentence=$1 output
  shift
  if output=$(cmake --preset release -B "$scratch/build" "$@" 2>&1); then
    echo "configuration succeeded, expected: $sentence" >&2
    exit 1
  fi
  rm -r "$scratch/build"
  # CMake wraps lines.
  if [[ $(tr -s ' \n' ' ' <<<"$output") != *"$sentence"* ]]; then
    printf 'expected: %s\n%s\n' "$sentence" "$output" >&2
    exit 1
  fi
}

expect "bpftrap needs fmt >= 9 (not found): install libfmt-dev (Debian), fmt-devel (Fedora) or fmt (Arch)." \
  -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON

printf '#!/bin/sh\necho "bpftool v5.10.0"\n' >"$scratch/bpftool"
chmod +x "$scratch/bpftool"
expect "bpftrap needs bpftool >= 7.1 (found 5.10.0): install bpftool (Debian)" \
  -DBPFTRAP_BPFTOOL="$scratch/bpftool"

cat >"$scratch/libbpf.pc" <<'END'
Name: libbpf
Description: an old one
Version: 0.5.0
Libs: -lbpf
END
export PKG_CONFIG_PATH=$scratch
expect "bpftrap needs libbpf >= 1.1 (found 0.5.0): install libbpf-dev (Debian)"
