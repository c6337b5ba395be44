#!/usr/bin/env bash
# Check that no file of src/ and tests/ is longer than 400 lines, and that no function body is longer
# than 60. clang-tidy checks the functions of src/core/ and src/cli/ (see .clang-tidy), so this checks
# those of src/bpf/, the tests and all scripts. Prints each violation; status 1 if any.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"

longest_file=400
longest_function=60

# list_sources DIRECTORY...: the files that have a limit.
list_sources() {
  find "$@" -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.c' -o -name '*.sh' \) | sort
}

status=0
while read -r lines file; do
  if [[ $file != total && $lines -gt $longest_file ]]; then
    echo "$file: $lines lines, the maximum is $longest_file" >&2
    status=1
  fi
done < <(list_sources src tests | xargs wc -l)

# A function begins with a brace behind a parenthesis. clang-format fixes the indentation of its end. If the
# brace has a line of its own (the style of src/bpf/), the end has the indentation of the brace. Otherwise
# the end is indented two columns less than the first line of the body.
# shellcheck disable=SC2016 # variables of awk
long_functions='
  FNR == 1 { begin = 0; last = "" }
  { sub(/ *\\$/, ""); match($0, /^ */) } # a line of a macro ends with a backslash
  !begin && /\)[^=;()]*\{$/ { begin = FNR; depth = -1; next }
  !begin && /^\{$/ && last ~ /\)$/ { begin = FNR; depth = 0 }
  { last = $0 }
  begin && depth < 0 && /[^ ]/ && !/^#/ { depth = RLENGTH - 2 }
  begin && /^ *\}/ && RLENGTH <= depth {
    if (FNR - begin > limit) {
      printf "%s:%d: a function of %d lines, the maximum is %d\n", FILENAME, begin, FNR - begin, limit
      found = 1
    }
    begin = 0
  }
  END { exit found }
'
if ! list_sources src/bpf tests | xargs awk -v limit=$longest_function "$long_functions" >&2; then
  status=1
fi
exit $status
