#!/usr/bin/env bash
# Measures how long `show` takes for a window of one minute of a large directory, and its largest resident
# set. The processes in the directory never ran, so this needs no privileges.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'END'
usage: tests/bench/window.sh [OPTIONS]

Builds bpftrap, makes a directory of a recorder that never ran, and prints medians in Markdown.

  --size BYTES      of the directory (default: 10000000000, which takes ten minutes to make)
  --rate N          records per second in the directory (default: 1000)
  --rounds N        number of measurements (default: 5)
  --form FORM       deflated, or raw, which takes a tenth of the time to make (default: deflated)
  --directory DIR   keep the directory in DIR, or use the one that was made there before
  --memory          also measure the memory of --follow, --cursor-file, --summary and, as root, of
                    record, which goes on in the directory
  --smoke           200 MB, raw and one round, for CI; fails if a window is not found
  --help            print this help
END
}

wrong() {
  echo "tests/bench/window.sh: $1, see --help" >&2
  exit 2
}

size=10000000000
rate=1000
rounds=5
form=deflated
directory=
memory=false
while [[ $# -gt 0 ]]; do
  case $1 in
    --size | --rate | --rounds | --form | --directory) [[ $# -ge 2 ]] || wrong "$1 needs a value" ;;&
    --size | --rate | --rounds)
      [[ $2 =~ ^[1-9][0-9]*$ ]] || wrong "$1: '$2' is not a number"
      declare "${1#--}=$2" && shift
      ;;
    --form) form=$2 && shift ;;
    --directory) directory=$2 && shift ;;
    --memory) memory=true ;;
    --smoke) size=200000000 rounds=1 form=raw ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) wrong "unknown option '$1'" ;;
  esac
  shift
done
build=${BPFTRAP_BUILD_DIR:-build}
bpftrap=${BPFTRAP_BIN:-$build/bpftrap}
fabricate=$build/tests/bpftrap_fabricate
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --preset release -B "$build" -DBPFTRAP_TESTS=ON >/dev/null
cmake --build "$build" --target bpftrap bpftrap_fabricate >"$scratch/log" || { cat "$scratch/log"; exit 1; }

directory=${directory:-$scratch/recorder}
if [[ ! -e $directory.span ]]; then
  "$fabricate" "$directory" "$size" "$rate" "$form" >"$directory.span"
fi
read -r begin end <"$directory.span"

at() { date -u -d "@$1" +%FT%TZ; }

# measure NAME ROUNDS COMMAND...: prints a line of the table.
measure() {
  local name=$1 count=$2 i
  shift 2
  : >"$scratch/times"
  for ((i = 0; i < count; i++)); do
    "$fabricate" measure "$@" >/dev/null 2>"$scratch/messages"
    grep ' s, ' "$scratch/messages" >>"$scratch/times"
  done
  printf '| %s | %s | %s |\n' "$name" \
    "$(awk '{ print $1 }' "$scratch/times" | sort -n | sed -n $((count / 2 + 1))p)" \
    "$(awk '{ print $3 }' "$scratch/times" | sort -n | tail -n 1)"
}

# window NAME SECOND: measures the minute from there on.
window() {
  local options=(--since "$(at "$2")" --until "$(at $(($2 + 60)))" --json --event "fork,exec,exit")
  local records
  records=$("$bpftrap" show "$directory" "${options[@]}" | grep -c '"event":"[efx]')
  ((records > 60 * rate * 9 / 10 && records < 60 * rate * 11 / 10)) || {
    echo "tests/bench/window.sh: $records records in a minute" >&2
    exit 1
  }
  measure "$1, $records records" "$rounds" "$bpftrap" show "$directory" "${options[@]}"
}

# The largest resident set must not depend on the length of the directory.
measure_memory() {
  local middle
  middle=$(at $(((begin + end) / 2)))
  "$bpftrap" show "$directory" --since "$middle" --count 1 --json --cursor-file "$scratch/cursor" >/dev/null
  measure "\`--follow\`, two seconds" 1 timeout --preserve-status --signal INT 2 \
    "$bpftrap" show "$directory" --follow --json
  measure "\`--cursor-file\`, the second half" 1 "$bpftrap" show "$directory" --json \
    --cursor-file "$scratch/cursor"
  measure "\`--summary\`" 1 "$bpftrap" show "$directory" --summary
  [[ $(id -u) -ne 0 ]] ||
    measure "\`record\`, three seconds" 1 "$bpftrap" record --dir "$directory" --keep "$size" --timeout 3s
}

echo "$(du -s --block-size=1M "$directory" | cut -f 1) MiB in $(find "$directory" -type f | wc -l) files," \
  "$(((end - begin) / 60)) minutes"
echo
echo "| | s | MB |"
echo "|---|---|---|"
middle=$(((begin + end) / 2))
window "first minute" "$begin"
window "a minute in the middle" $middle
window "last minute" $((end - 60))
measure "the same, no record matches" "$rounds" "$bpftrap" show "$directory" --since "$(at $middle)" \
  --until "$(at $((middle + 60)))" --json -p 1
measure "\`--last 10\`" "$rounds" "$bpftrap" show "$directory" --json --last 10
! $memory || measure_memory
