#!/usr/bin/env bash
# If no source has changed, build.sh compiles nothing and needs no network, from any directory.
set -euo pipefail
binary=${BPFTRAP_BIN:?}
script=$PWD/vendor/build.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '#!/bin/sh\necho called >>%s/apt\n' "$scratch" >"$scratch/apt-get"
chmod +x "$scratch/apt-get"
before=$(stat -c %y "$binary")
cd /
output=$(PATH=$scratch:$PATH "$script" 2>&1)
[[ $output == *"no work to do"* ]] || { echo "$output"; exit 1; }
[[ $(stat -c %y "$binary") == "$before" ]] || { echo "$binary was written again although no source has changed"; exit 1; }
[[ ! -e $scratch/apt ]] || { echo "apt-get was called"; exit 1; }
