#!/usr/bin/env bash
# Measures shipping, size and questions at ten million rows, and prints Markdown for docs/fleet.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/fleet/server.sh
source tests/fleet/server.sh

if [[ $# -gt 0 ]]; then
  echo "usage: tests/fleet/figures.sh: measures for some ten minutes, without options" >&2
  [[ $1 == --help || $1 == -h ]]
  exit
fi
ensure_packages build test fleet
scratch=$(mktemp -d)
http_port=$(free_port)
tcp_port=$(free_port)
url=http://127.0.0.1:$http_port/
trap 'stop_server KILL; rm -rf "$scratch"' EXIT
engine=$(find_engine "$root/build-fleet")

# server_cpu: prints the CPU time of the server so far, in hundredths of a second.
server_cpu() {
  awk '{ print $14 + $15 }' "/proc/$server/stat"
}

# in_seconds COMMAND...: prints how long the command takes.
in_seconds() {
  local begin=${EPOCHREALTIME/./}
  "$@" >/dev/null
  awk -v us=$((${EPOCHREALTIME/./} - begin)) 'BEGIN { printf "%.2f\n", us / 1e6 }'
}

per() {
  awk -v all="$1" -v one="$2" -v digits="$3" 'BEGIN { printf "%." digits "f", all / one }'
}

ship_all() {
  local host
  for host in web1 web2 db1; do
    mkdir -p "$scratch/state/$host"
    BPFTRAP_SHIP_URL=$url BPFTRAP_SHIP_FROM=$scratch/$host.bpftrap PATH=$scratch/bin:$PATH \
      STATE_DIRECTORY=$scratch/state/$host vendor/package/fleet/ship.sh
  done
}

table_bytes() {
  ask <<<"SELECT sum(bytes_on_disk) FROM system.parts WHERE table = 'records' AND active"
}

# Nine more fleets of the same days, under other host names.
multiply() {
  local columns copy
  columns=$(ask <<<"SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns
    WHERE table = 'records' AND default_kind = '' FORMAT TSVRaw")
  for copy in {1..9}; do
    ask <<<"INSERT INTO bpftrap.records ($columns) SELECT ${columns/ host,/ concat(host, \'-$copy\'),}
      FROM bpftrap.records WHERE host IN ('web1', 'web2', 'db1')"
  done
}

# question_seconds NAME FINAL: prints wall and CPU time of the question, asked for the second time.
question_seconds() {
  local cpu wall
  sed "s/today()/toDate('2026-11-25')/g; s/ FINAL/$2/" "vendor/package/fleet/questions/$1.sql" >"$scratch/sql"
  ask --format Null <"$scratch/sql"
  cpu=$(server_cpu)
  wall=$(in_seconds ask --format Null <"$scratch/sql")
  echo "$wall s | $(per $(($(server_cpu) - cpu)) 100 2) s"
}

cmake --preset release -DBPFTRAP_TESTS=ON >/dev/null
cmake --build build --target bpftrap bpftrap_fleet_hosts >/dev/null
mkdir "$scratch/bin" && ln -s "${BPFTRAP_BIN:-$root/build/bpftrap}" "$scratch/bin/bpftrap"
build/tests/bpftrap_fleet_hosts 1570000 1 "$scratch"
write_server_config
start_server
ask --multiquery <vendor/package/fleet/schema.sql

begin=$(server_cpu)
TIMEFORMAT='%R %U %S'
{ time ship_all >/dev/null; } 2>"$scratch/times"
read -r wall user system < <(tail -n 1 "$scratch/times")
cpu=$(($(server_cpu) - begin))
rows=$(ask <<<'SELECT count() FROM bpftrap.records')
begin=$(server_cpu)
merge_parts
merged=$(($(server_cpu) - begin))
echo "| figure | value |"
echo "|---|---|"
echo "| records shipped | $rows |"
echo "| records/s, one host after the other | $(per "$rows" "$wall" 0) |"
echo "| CPU time of the hosts per million records | $(awk -v all="$rows" "BEGIN { printf \"%.1f\", ($user + $system) / all * 1e6 }") s |"
echo "| CPU time of the server per million records | $(per "$cpu" "$((rows / 10000))" 1) s |"
echo "| CPU time of the server per million records for a merge of all parts | $(per "$merged" "$((rows / 10000))" 1) s |"
echo "| bytes per record in ClickHouse | $(per "$(table_bytes)" "$rows" 1) |"

multiply
merge_parts
echo
echo "| question | wall time | CPU time | wall time without FINAL | CPU time without FINAL |"
echo "|---|---|---|---|---|"
for question in vendor/package/fleet/questions/*.sql; do
  question=$(basename "$question" .sql)
  echo "| \`$question\` | $(question_seconds "$question" ' FINAL') | $(question_seconds "$question" '') |"
done
echo
echo "$(ask <<<'SELECT count() FROM bpftrap.records') rows, $(per "$(table_bytes)" "$(ask <<<'SELECT count() FROM bpftrap.records')" 1) bytes each; \
server: $(awk '/VmHWM/ { printf "%.1f GB", $2 / 1e6 }' "/proc/$server/status") at most"
