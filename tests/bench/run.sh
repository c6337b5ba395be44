#!/usr/bin/env bash
# Measures the cost of tracing: bpftrap compared with no tracer, with a theoretical minimum, and with
# other tools. docs/performance.md explains each figure and has the last full run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=vendor/packages.sh
source vendor/packages.sh

usage() {
  cat <<'END'
usage: tests/bench/run.sh [OPTIONS]

Builds bpftrap and its bench, measures, and prints Markdown. Needs root and, for figures that mean
something, an otherwise idle machine. Takes about ten minutes.

  --only KEY,...     only these: pinned, storm, argv, true, make (workloads under every tool);
                     startup, stop, latency, bpf, rejected, record-cpu, rss, size, lost, recorder, alive,
                     runtime
  --rounds N         number of measurements (default: 5)
  --long             also measure runtime, and longer recordings; takes 15 more minutes
  --peers            install the missing Debian packages of other tools, to compare with
  --no-peers         no other tools, not even installed ones
  --json FILE        also write the results to FILE (default: build/bench.json)
  --markdown FILE    also write them into FILE, between the lines <!-- bench --> and <!-- /bench -->
  --smoke            one short round without other tools, for CI; fails if a record is lost
  --help             print this help
END
}

wrong() {
  echo "tests/bench/run.sh: $1, see --help" >&2
  exit 2
}

args=()
rounds=5
peers=installed
json=build/bench.json
markdown=
while [[ $# -gt 0 ]]; do
  case $1 in
    --only | --rounds | --json | --markdown) [[ $# -ge 2 ]] || wrong "$1 needs a value" ;;&
    --only) args+=(--only "$2") && shift ;;
    --rounds)
      [[ $2 =~ ^[1-9][0-9]*$ ]] || wrong "--rounds: '$2' is not a number"
      rounds=$2 && shift
      ;;
    --long) args+=(--long) ;;
    --peers) peers=install ;;
    --no-peers) peers=none ;;
    --json) json=$2 && shift ;;
    --markdown) markdown=$2 && shift ;;
    --smoke)
      rounds=1
      peers=none
      # The ring buffer holds that many, however busy the machine is.
      args+=(--processes 300 --loss-processes 300 --alive 1000)
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) wrong "unknown option '$1'" ;;
  esac
  shift
done
[[ -z $markdown ]] || grep -qx '<!-- bench -->' "$markdown" ||
  wrong "--markdown: '$markdown' has no line <!-- bench -->"
if [[ $(id -u) -ne 0 ]]; then
  echo "tests/bench/run.sh: needs root: run it with sudo" >&2
  exit 1
fi

ensure_packages build test
if [[ $peers == install ]]; then
  ensure_packages bench-peers
elif [[ $peers == installed ]] && command -v dpkg-query >/dev/null; then
  mapfile -t wanted < <(debian_packages bench-peers)
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [[ ${#missing[@]} -eq 0 ]] ||
    echo "Without ${missing[*]}: --peers installs what is missing" >&2
fi
[[ $peers != none ]] || args+=(--no-peers)
cmake --preset release -DBPFTRAP_TESTS=ON >/dev/null
cmake --build build --target bpftrap bpftrap_bench >&2

# perf finds tracepoints through tracefs. This mount is private.
if [[ $peers != none && ! -e /sys/kernel/tracing/events ]]; then
  mount_tracefs=(unshare --mount --propagation private sh -c
    'mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"' sh)
else
  mount_tracefs=()
fi

# Describes the machine in a sentence that does not identify it.
about() {
  local versions
  printf 'Measured %s, %s, Linux %s, %s CPUs (%s), load %s before; %s rounds.\n' \
    "$(date -u +%Y-%m-%d)" "$(git describe --always --dirty 2>/dev/null || echo 'no git')" \
    "$(uname -r | sed 's/-.*//')" "$(nproc)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
    "$(cut -d ' ' -f 1 /proc/loadavg)" "$rounds"
  if [[ $peers != none ]]; then
    # shellcheck disable=SC2016 # dpkg-query's own variables
    versions=$(debian_packages bench-peers |
      xargs dpkg-query -W -f '${Package} ${Version}, ' 2>/dev/null || true)
    [[ -z $versions ]] || printf 'Other tools: %s.\n' "${versions%, }"
  fi
}
while IFS= read -r line; do
  args+=(--about "$line")
done < <(about)

table=$(mktemp)
trap 'rm -f "$table"' EXIT
status=0
BPFTRAP_BIN=$PWD/build/bpftrap "${mount_tracefs[@]}" build/tests/bpftrap_bench \
  --rounds "$rounds" --json "$json" --markdown "$table" "${args[@]}" || status=$?

if [[ -n $markdown && -s $table ]]; then
  awk -v table="$table" '
    /^<!-- \/bench -->$/ { inside = 0 }
    !inside { print }
    /^<!-- bench -->$/ { inside = 1; while ((getline line < table) > 0) print line }
  ' "$markdown" >"$markdown.new"
  mv "$markdown.new" "$markdown"
fi
exit "$status"
