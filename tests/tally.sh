# shellcheck shell=bash
# Sourced by the scripts that run tests: counts passed, failed and skipped cases, and prints the
# counts in the last line. If `ci` is true, a skipped case counts as failed.

passed=0
failed=0
skipped=0
remarks=() # about cases that did not pass
table=()   # lines printed before the remarks

fail() {
  failed=$((failed + 1))
  remarks+=("FAILED   $1")
}

# skip CASE [GLOB]: counts a skipped case. Cases that match GLOB may be skipped even if `ci` is true.
skip() {
  # shellcheck disable=SC2053 # a pattern
  if ${ci:?} && ! [[ $1 == ${2-} ]]; then
    fail "$1 (skipped, which --ci does not allow)"
  else
    skipped=$((skipped + 1))
    remarks+=("skipped  $1")
  fi
}

# check NAME COMMAND...: runs the command, which may be a function, and counts it. Status 77 skips it.
check() {
  local name=$1 status
  shift
  echo "== $name"
  "$@"
  status=$?
  case $status in
    0) passed=$((passed + 1)) ;;
    77) skip "$name" ;;
    *) fail "$name (status $status)" ;;
  esac
}

# tally_report REPORT LABEL [GLOB [AGAIN...]]: counts the cases of a googletest XML report. GLOB is as
# for skip. AGAIN are the reports of further runs of the cases that failed, as far as there were any.
tally_report() {
  local outcome name report again=""
  for report in "${@:4}"; do
    [[ ! -s $report ]] || again+=$'\n'$(awk -f tests/googletest_cases.awk "$report")
  done
  # One line per case: result, suite and name.
  while IFS=$'\t' read -r outcome name; do
    case $outcome in
      passed) passed=$((passed + 1)) ;;
      failed)
        if [[ $'\n'$again$'\n' == *$'\n'"passed"$'\t'"$name"$'\n'* ]]; then
          passed=$((passed + 1))
          remarks+=("repeated $2: $name")
        else
          fail "$2: $name"
        fi
        ;;
      *) skip "$2: $name" "${3-}" ;;
    esac
  done < <(awk -f tests/googletest_cases.awk "$1")
}

# finish: prints the lines of `table`, the remarks and the counts, and ends the script.
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
