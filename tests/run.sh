#!/usr/bin/env bash
# Builds bpftrap and its tests, runs every test, and ends with the numbers of passed, failed and skipped
# tests. Each case of googletest counts, as does each script in tests/build/ and each fuzz target.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/tally.sh
source tests/tally.sh

usage() {
  cat <<'END'
usage: tests/run.sh [OPTIONS]

Installs missing packages on Debian, builds bpftrap and runs its tests. Without options, runs all of them.

  --unit             only the unit tests, also under ASan and UBSan
  --e2e              only the end-to-end tests on this kernel; most need root
  --build            only the tests of the build
  --fuzz [SECONDS]   only the fuzz targets, all at once for SECONDS (default: 10, with --ci 60)
  --no-asan          no tests under ASan and UBSan
  --filter PATTERN   only matching googletest cases (syntax of --gtest_filter)
  --ci               a skipped test counts as failed; default if CI=true is set
  --help             print this help
END
}

wanted=()
asan=true
filter='*'
fuzz_seconds=
ci=false
[[ ${CI:-} != true ]] || ci=true
while [[ $# -gt 0 ]]; do
  case $1 in
    --unit | --e2e | --build) wanted+=("${1#--}") ;;
    --fuzz)
      wanted+=(fuzz)
      if [[ ${2:-} =~ ^[1-9][0-9]*$ ]]; then
        fuzz_seconds=$2
        shift
      fi
      ;;
    --no-asan) asan=false ;;
    --filter)
      [[ $# -ge 2 ]] || { echo "tests/run.sh: --filter needs a pattern, see --help" >&2; exit 2; }
      filter=$2
      shift
      ;;
    --ci) ci=true ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "tests/run.sh: unknown option '$1', see --help" >&2
      exit 2
      ;;
  esac
  shift
done
[[ ${#wanted[@]} -gt 0 ]] || wanted=(unit e2e build fuzz)
wants() { [[ " ${wanted[*]} " == *" $1 "* ]]; }

# run_googletest SUITE PROGRAM: runs the program's cases and counts them by its XML report. Child
# processes cannot write into that, unlike into the output.
run_googletest() {
  local suite=$1 program=$2 report=$scratch/$1.xml status
  echo "== $suite"
  if [[ ! -x $program ]]; then
    fail "$suite: no $program"
    return
  fi
  timeout -k 10 900 "$program" --gtest_brief=1 --gtest_filter="$filter" \
    --gtest_output="xml:$report" </dev/null
  status=$?
  if [[ ! -s $report ]]; then
    fail "$suite: $program ended with status $status before its last case"
    return
  fi
  local failed_before=$failed before=$((passed + failed + skipped))
  tally_report "$report" "$suite"
  local cases=$((passed + failed + skipped - before))
  # A failure outside of all cases: a leak, or googletest itself.
  if [[ $status -ne 0 && $failed -eq $failed_before ]]; then
    fail "$suite: $program ended with status $status"
  fi
  echo "$cases cases"
}

# run_fuzz: each target starts from its corpus, or from the seeds that the build made. New inputs go to build-fuzz/found, and inputs that break
# a promise to build-fuzz/broken.
run_fuzz() {
  local seconds=$fuzz_seconds target name log corpus
  [[ -n $seconds ]] || { $ci && seconds=60 || seconds=10; }
  echo "== fuzz ($seconds s)"
  local -A running=()
  for corpus in tests/fuzz/corpus/*/ build-fuzz/seeds/*/; do
    name=$(basename "$corpus")
    target=build-fuzz/tests/fuzz/bpftrap_fuzz_$name
    mkdir -p "build-fuzz/found/$name" build-fuzz/broken
    local options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=1024
      -artifact_prefix="build-fuzz/broken/$name-" -print_final_stats=1)
    [[ ! -e tests/fuzz/$name.dict ]] || options+=(-dict="tests/fuzz/$name.dict")
    ASAN_OPTIONS=malloc_context_size=4:quarantine_size_mb=32 UBSAN_OPTIONS=print_stacktrace=1 \
      timeout -k 10 $((seconds + 300)) "$target" "${options[@]}" "build-fuzz/found/$name" "$corpus" \
      </dev/null >"$scratch/fuzz-$name.log" 2>&1 &
    running[$name]=$!
  done
  for name in "${!running[@]}"; do
    log=$scratch/fuzz-$name.log
    if wait "${running[$name]}"; then
      passed=$((passed + 1))
      echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    else
      fail "fuzz: $name"
      grep -v -a -E '^#|^INFO' "$log" | tail -n 60
    fi
  done
}

run_script() {
  check "${1#tests/}" timeout -k 10 900 "$1" </dev/null
}

purposes=(build test)
[[ $(id -u) -ne 0 ]] || purposes+=(run)
ensure_packages "${purposes[@]}" || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export BPFTRAP_BUILD_DIR=$root/build
export BPFTRAP_BIN=$BPFTRAP_BUILD_DIR/bpftrap
export BPFTRAP_SCHEMA=$root/docs/records.schema.json

if ! vendor/build.sh; then
  fail "build: release"
  finish
fi
targets=()
! wants unit || targets+=(bpftrap_unit_tests)
! wants e2e || targets+=(bpftrap_e2e_tests)
if [[ ${#targets[@]} -gt 0 ]]; then
  # The tests are added to the release build. A later run of build.sh leaves them out again.
  if ! { cmake --preset release -DBPFTRAP_TESTS=ON >/dev/null &&
    cmake --build build --target "${targets[@]}"; }; then
    fail "build: tests"
    finish
  fi
fi

if wants unit; then
  run_googletest unit build/tests/bpftrap_unit_tests
  if $asan; then
    # The fuzz targets share most objects, which take longest to compile.
    if cmake --preset fuzz -DBPFTRAP_TESTS=ON >/dev/null &&
      cmake --build build-fuzz --target bpftrap_unit_tests; then
      UBSAN_OPTIONS=print_stacktrace=1 run_googletest asan build-fuzz/tests/bpftrap_unit_tests
    else
      fail "build: asan"
    fi
  fi
fi
if wants e2e; then
  run_googletest e2e build/tests/bpftrap_e2e_tests
  for script in tests/export/*.sh; do
    [[ $script == */lib.sh ]] || run_script "$script"
  done
fi
if wants fuzz; then
  if vendor/build.sh --preset fuzz; then
    run_fuzz
  else
    fail "build: fuzz"
  fi
fi
if wants build; then
  for script in tests/build/*.sh; do
    run_script "$script"
  done
fi
finish
