# shellcheck shell=bash
# Sourced by the tests in this directory: a scratch directory, and bpftrap as BPFTRAP_BIN names it.
set -euo pipefail
bpftrap=${BPFTRAP_BIN:?names the program to test}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export here
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
complaints=0

complain() {
  echo "$1" >&2
  complaints=$((complaints + 1))
}

# expect_same NAME EXPECTED FOUND: compares two files.
expect_same() {
  diff -u "$2" "$3" >&2 || complain "$1: the second is bpftrap's"
}

# bpftrap COMMAND...: runs it without messages, and shows them if it fails.
run() {
  "$bpftrap" "$@" 2>"$scratch/messages" || {
    cat "$scratch/messages" >&2
    complain "failed: bpftrap $*"
  }
}

finish() {
  [[ $complaints -eq 0 ]]
  exit
}

if [[ $(id -u) -ne 0 ]]; then
  echo "skipped: recording needs root" >&2
  exit 77
fi
