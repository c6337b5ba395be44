#!/usr/bin/env bash
# Measures how long `why slow` takes for a recording of many processes, raw and deflated, and its largest
# resident set. The processes never ran, so this needs no privileges.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

processes=${1:-1000000}
if [[ ! $processes =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: tests/bench/recording.sh [PROCESSES]" >&2
  exit 2
fi
build=${BPFTRAP_BUILD_DIR:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --build "$build" --target bpftrap bpftrap_fabricate >"$scratch/log" || { cat "$scratch/log"; exit 1; }

for form in raw deflated; do
  "$build/tests/bpftrap_fabricate" "$scratch/recording" "$processes" "$form"
  for output in report json; do
    options=()
    [[ $output == report ]] || options=(--json)
    printf >&2 '%s, %s, %s processes, %s bytes: ' "$form" "$output" "$processes" \
      "$(stat -c %s "$scratch/recording")"
    "$build/tests/bpftrap_fabricate" measure "$build/bpftrap" why slow "${options[@]}" \
      "$scratch/recording" >"$scratch/$output"
  done
done
