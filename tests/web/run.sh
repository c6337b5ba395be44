#!/usr/bin/env bash
# Tests the page of the timeline: its modules in node, and the whole page in Chromium. Ends with how many
# cases passed, failed and were skipped.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/tally.sh
source tests/tally.sh

usage() {
  cat <<'END'
usage: tests/web/run.sh [OPTIONS]

Builds bpftrap, installs Chromium and node on Debian, and playwright-core from npm.

  --filter PATTERN   only cases whose name matches this regular expression of JavaScript
  --screenshots DIR  also keep pictures of the page in DIR
  --ci               a skipped test counts as failed; default if CI=true is set
  --help             print this help
END
}

ci=false
options=()
[[ ${CI:-} != true ]] || ci=true
while [[ $# -gt 0 ]]; do
  case $1 in
    --filter | --screenshots)
      [[ $# -ge 2 ]] || { echo "tests/web/run.sh: $1 needs a value, see --help" >&2; exit 2; }
      if [[ $1 == --filter ]]; then
        options+=(--test-name-pattern "$2")
      else
        mkdir -p "$2" || exit
        BPFTRAP_SCREENSHOTS=$(realpath "$2")
        export BPFTRAP_SCREENSHOTS
      fi
      shift
      ;;
    --ci) ci=true ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "tests/web/run.sh: unknown option '$1', see --help" >&2
      exit 2
      ;;
  esac
  shift
done

# Some packages of node contain npm.
purposes=(build web)
command -v npm >/dev/null || purposes+=(npm)
ensure_packages "${purposes[@]}" || exit 1
if ! vendor/build.sh; then
  fail "web: build"
  finish
fi

# Node looks for modules beside the tests, and the tree stays as it is.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp tests/web/*.mjs tests/web/package*.json "$scratch"
if ! (cd "$scratch" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline \
  --cache "$root/build-web/npm" >npm.log 2>&1); then
  cat "$scratch/npm.log"
  fail "web: npm ci"
  finish
fi

export BPFTRAP_BIN=$root/build/bpftrap
export BPFTRAP_PAGE=$root/build/timeline/page.html
export BPFTRAP_PAGE_SOURCES=$root/src/core/timeline/page
(cd "$scratch" && timeout -k 10 600 node --test --test-reporter=tap "${options[@]}" ./*.test.mjs) \
  </dev/null >"$scratch/tap"
status=$?
# A file is a case of its own in some versions of node: only lines with an inner indentation count then.
while IFS=$'\t' read -r outcome name; do
  case $outcome in
    ok) passed=$((passed + 1)) ;;
    skipped) skip "web: $name" ;;
    *) fail "web: $name" ;;
  esac
done < <(awk -f tests/web/tap_cases.awk "$scratch/tap")
if [[ $failed -gt 0 || $status -ne 0 ]]; then
  grep -v '^ *\(duration_ms\|type\|---\|\.\.\.\)' "$scratch/tap"
  [[ $failed -gt 0 ]] || fail "web: node ended with status $status"
fi
finish
