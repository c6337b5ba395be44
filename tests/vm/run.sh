#!/usr/bin/env bash
# Boots other kernels in virtual machines and runs the end-to-end tests in them. A guest has only the
# static bpftrap, the static tests and busybox. Ends with the numbers of passed, failed and skipped cases
# of all kernels. docs/kernels.md lists the results.
#
# A case may be skipped because bpftrap reports that the kernel is too old. With --ci, any other skipped
# case counts as failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/tally.sh
source tests/tally.sh
# shellcheck source=tests/vm/debian.sh
source tests/vm/debian.sh
# shellcheck source=tests/vm/guest.sh
source tests/vm/guest.sh

usage() {
  cat <<'END'
usage: tests/vm/run.sh [OPTIONS] [NAME...]

Boots Debian's cloud kernels in virtual machines and runs the end-to-end tests in each. Without names, runs
all kernels of tests/vm/kernels.txt. Needs neither root nor KVM once the packages are installed. Downloads
and builds are kept in build-vm/.

  --quick            only the cases of tests/vm/quick.txt
  --filter PATTERN   only matching cases (syntax of --gtest_filter)
  --jobs N           number of kernels at a time (default: 1); each has two processors
  --deadline SECONDS a guest that takes longer fails (default: 1800)
  --offline          use the kernels that were downloaded before, even if newer ones exist
  --ci               a skipped case counts as failed unless the kernel is too old; default if CI=true is set
  --list             print the names of the kernels
  --help             print this help
END
}

wrong() {
  echo "tests/vm/run.sh: $1, see --help" >&2
  exit 2
}

# quick_filter: prints the filter of tests/vm/quick.txt. googletest knows no [], and takes what follows the
# first - for patterns of cases to leave out.
quick_filter() {
  printf '%s-%s' "$(grep '^[^#-]' tests/vm/quick.txt | paste -sd :)" \
    "$(sed -n 's/^-//p' tests/vm/quick.txt | paste -sd :)"
}

# check_quick: fails if a pattern of tests/vm/quick.txt matches no case.
check_quick() {
  local pattern failed=false
  while read -r pattern; do
    if [[ $pattern == *[][]* || $pattern == *-* ]] ||
      ! BPFTRAP_TEST_GUEST=true "${built[$1]}/tests/bpftrap_e2e_tests" --gtest_list_tests \
        --gtest_filter="$pattern" | grep -q '^  '; then
      echo "tests/vm/quick.txt: no case matches '$pattern'" >&2
      failed=true
    fi
  done < <(sed -n 's/^-\{0,1\}\([^#-]\)/\1/p' tests/vm/quick.txt)
  ! $failed
}

names=()
quick=false
filter='*'
jobs=1
deadline=1800
offline=false
ci=false
[[ ${CI:-} != true ]] || ci=true
while [[ $# -gt 0 ]]; do
  case $1 in
    --filter | --jobs | --deadline) [[ $# -ge 2 ]] || wrong "$1 needs a value" ;;&
    --jobs | --deadline) [[ $2 =~ ^[1-9][0-9]*$ ]] || wrong "$1: '$2' is not a number" ;;&
    --quick) quick=true && filter=$(quick_filter) ;;
    --filter) filter=$2 && shift ;;
    --jobs) jobs=$2 && shift ;;
    --deadline) deadline=$2 && shift ;;
    --offline) offline=true ;;
    --ci) ci=true ;;
    --list)
      sed -n 's/^\([^# |]*\) *|.*/\1/p' tests/vm/kernels.txt
      exit 0
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    -*) wrong "unknown option '$1'" ;;
    *) names+=("$1") ;;
  esac
  shift
done
[[ ${#names[@]} -gt 0 ]] || mapfile -t names < <("$0" --list)

# Columns of kernels.txt, by name.
declare -A processor_of version_of suites_of
while IFS='|' read -r name processor version suites; do
  [[ -n $name && $name != \#* ]] || continue
  name=${name// /}
  processor_of[$name]=${processor// /}
  version_of[$name]=${version// /}
  suites_of[$name]=$suites
done <tests/vm/kernels.txt
processors=()
for name in "${names[@]}"; do
  [[ -n ${processor_of[$name]:-} ]] || wrong "no kernel '$name', --list names them"
  [[ " ${processors[*]} " == *" ${processor_of[$name]} "* ]] ||
    processors+=("${processor_of[$name]}")
done

# count NAME: counts the cases of a guest, from the files in its directory.
count() {
  local name=$1 directory=$work/$1 label
  local passed_before=$passed failed_before=$failed skipped_before=$skipped
  label="$name ($(cat "$directory/release" 2>/dev/null))"
  if [[ ! -s $directory/report/cases.xml ]]; then
    fail "$label: $(cat "$directory/trouble")"
    tail -n 40 "$directory/console" 2>/dev/null
  else
    tally_report "$directory/report/cases.xml" "$label" \
      '*this kernel is older than*as bpftrap says*' "$directory/report/again1.xml" \
      "$directory/report/again2.xml"
    if [[ $(cat "$directory/report/status") -ne 0 && $failed -eq $failed_before ]]; then
      fail "$label: the tests ended with status $(cat "$directory/report/status")"
    fi
    # On a busy machine a guest may miss a deadline (soft lockup), which is not a bug.
    if grep -E 'BUG: |Oops|WARNING: CPU' "$directory/report/dmesg" | grep -v 'soft lockup'; then
      fail "$label: the kernel complained, as above"
    fi
    if [[ $failed -gt $failed_before ]]; then
      # The output of the tests, without successful cases.
      grep -avE '^\[ +(OK|RUN) |^\[-+\]' "$directory/console" | tail -n 200
    fi
  fi
  # One line per kernel.
  table+=("$(printf '%-12s %-28s %3d passed, %d failed, %d skipped, in %s s' "$name" \
    "$(cat "$directory/release" 2>/dev/null)" $((passed - passed_before)) \
    $((failed - failed_before)) $((skipped - skipped_before)) \
    "$(cat "$directory/seconds" 2>/dev/null)")")
}

purposes=(build test vm)
[[ " ${processors[*]} " != *" arm64 "* ]] || purposes+=(vm-arm64 cross)
ensure_packages "${purposes[@]}" || exit 1
work=$root/build-vm
mkdir -p "$work"

for processor in "${processors[@]}"; do
  echo "== build for $processor"
  if ! "build_$processor" || ! make_initramfs "$processor"; then
    fail "build for $processor"
    finish
  fi
  if $quick && [[ $processor == amd64 ]] && ! check_quick "$processor"; then
    fail "tests/vm/quick.txt"
    finish
  fi
done

running=0
booted=()
for name in "${names[@]}"; do
  mkdir -p "$work/$name"
  # shellcheck disable=SC2086 # several suites
  if ! { $offline && [[ -s $work/$name/vmlinuz ]]; } &&
    ! fetch_kernel "$work/$name" "${processor_of[$name]}" "${version_of[$name]}" ${suites_of[$name]}; then
    if [[ ! -s $work/$name/vmlinuz ]]; then
      fail "$name: no kernel could be fetched"
      continue
    fi
    echo "tests/vm/run.sh: $name is the kernel that was downloaded before" >&2
  fi
  if [[ $running -ge $jobs ]]; then
    wait -n
    running=$((running - 1))
  fi
  echo "== boot $name"
  boot "$work/$name" "${processor_of[$name]}" &
  running=$((running + 1))
  booted+=("$name")
done
wait
for name in "${booted[@]}"; do
  count "$name"
done
finish
