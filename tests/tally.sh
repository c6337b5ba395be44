# shellcheck shell=bash
# Sourced by tests/run.sh and tests/vm/run.sh: counts the cases that passed, failed and were skipped,
# and says so in the last line. Under `ci`, which is true or false, what is skipped has failed.

passed=0
failed=0
skipped=0
remarks=() # on what did not pass
table=()   # lines that come before them

fail() {
  failed=$((failed + 1))
  remarks+=("FAILED   $1")
}

# skip CASE [GLOB]: one that matches GLOB may be skipped anywhere.
skip() {
  # shellcheck disable=SC2053 # a pattern
  if ${ci:?} && ! [[ $1 == ${2-} ]]; then
    fail "$1 (skipped, which a run for CI may not)"
  else
    skipped=$((skipped + 1))
    remarks+=("skipped  $1")
  fi
}

# tally_report REPORT LABEL [GLOB]: the cases of an XML report of googletest; GLOB as for skip.
tally_report() {
  local outcome name
  # A line per case: how it ended, its suite and name.
  while IFS=$'\t' read -r outcome name; do
    case $outcome in
      passed) passed=$((passed + 1)) ;;
      failed) fail "$2: $name" ;;
      *) skip "$2: $name" "${3-}" ;;
    esac
  done < <(awk -f tests/googletest_cases.awk "$1")
}

# finish: says the lines of `table`, the remarks and the counts, and ends the script.
finish() {
  echo
  [[ ${#table[@]} -eq 0 ]] || printf '%s\n' "${table[@]}"
  [[ ${#remarks[@]} -eq 0 ]] || printf '%s\n' "${remarks[@]}"
  if [[ $((passed + failed + skipped)) -eq 0 ]]; then
    echo "no test was run"
    failed=1
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 ]]
  exit
}
