#!/usr/bin/env bash
# Runs clang-tidy on all files of src/core/ and src/cli/, with the flags and skeletons of build-fuzz/. Prints
# each finding; status 1 if any.
#
# clang-tidy spends most of its time on system headers. So up to 12 files of a directory are checked as one
# file that includes them. If their local names collide, each half is checked by itself. The static analyzer
# skips what is included; with it (-analyzer-opt-analyze-headers) a check takes half an hour.
set -uo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit
export build=$PWD/build-fuzz scratch
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# tidy FILE [OPTIONS...]: the counts that it drops are of warnings that are not reported.
tidy() {
  clang-tidy --quiet --config-file=.clang-tidy -p "$build" "${@:2}" "$1" 2>&1 |
    sed '/^[0-9]* warnings\{0,1\} generated\.$/d'
  return "${PIPESTATUS[0]}"
}

# check FILE...: the files of one directory.
check() {
  local half=$(($# / 2)) half_status joined output
  if [[ $# -eq 1 ]]; then
    tidy "$1"
    return
  fi
  # clang-tidy takes the flags of the file with the most similar path.
  joined=$(mktemp -d "$scratch/XXXXXX")/$1
  mkdir -p "${joined%/*}"
  printf "#include \"$PWD/%s\"\n" "$@" >"$joined"
  if output=$(tidy "$joined" --checks=-bugprone-suspicious-include --extra-arg="-isystem$build/bpf" \
    --extra-arg='-DBPFTRAP_VERSION=""'); then
    return 0
  elif [[ $output == *clang-diagnostic-error* ]]; then
    check "${@:1:half}"
    half_status=$?
    check "${@:half+1}" && return "$half_status"
  else
    printf '%s\n' "${output:-clang-tidy failed without a message for: $*}"
    return 1
  fi
}
export -f tidy check

# Each line has the files of one group, so no name may contain a blank.
find src/core src/cli -name '*.cpp' | sort | awk '
  { directory = $0; sub(/\/[^\/]*$/, "", directory) }
  directory != last || ++count == 12 { if (NR > 1) print ""; last = directory; count = 0 }
  { printf "%s ", $0 }
  END { print "" }' |
  xargs -P "$(nproc)" -I '{}' bash -c 'check {}'
