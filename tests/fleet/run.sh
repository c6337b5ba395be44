#!/usr/bin/env bash
# Ships the recordings of simulated hosts to a real ClickHouse, while shippers are killed and the server is
# restarted. Ends with how many cases passed, failed and were skipped.
# shellcheck disable=SC2317 # functions that check() calls
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/tally.sh
source tests/tally.sh
# shellcheck source=tests/fleet/server.sh
source tests/fleet/server.sh

usage() {
  cat <<'END'
usage: tests/fleet/run.sh [OPTIONS]

ClickHouse is fetched once from Debian, and kept in build-fleet/. It runs in a scratch directory.

  --long      1,000,000 records instead of 60,000
  --seed N    another course of the kills (default: 1)
  --page      write the answers to the questions into docs/fleet.md
  --ci        what is skipped has failed; so it is where CI=true is set
  --help      show this
END
}

ci=false
long=false
page=false
seed=1
[[ ${CI:-} != true ]] || ci=true
while [[ $# -gt 0 ]]; do
  case $1 in
    --ci) ci=true ;;
    --long) long=true ;;
    --page) page=true ;;
    --seed) seed=${2:?} && shift ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "tests/fleet/run.sh: unknown option '$1', see --help" >&2
      exit 2
      ;;
  esac
  shift
done
hosts=(web1 web2 db1)
events=exec,failed,exit

# The keys of the records that are shipped, and the type that a column needs for each.
wanted_columns() {
  jq -r '
    def kinds: ["start", "fork", "exec", "exit", "lost", "stop"];
    [.oneOf[] | select(.title as $title | kinds | index($title)) | .properties | to_entries[]]
    | group_by(.key)[]
    | .[0].key as $key
    | ([.[].value.type | if type == "array" then .[] else . end] | unique) as $types
    | (if $types | index("array") then "Array(String)"
       elif $types | index("integer") then "Int"
       elif $types | index("boolean") then "Int"
       else "String" end) as $type
    | if ($types | index("null")) and $type != "Array(String)" and $key != "boot_id"
      then "\($key) Nullable(\($type))" else "\($key) \($type)" end' docs/records.schema.json | sort
}

# The columns of a schema. Integers of any size are `Int`. `ts` may have a type of time.
check_columns() {
  local file
  for file in schema schema-modern; do
    diff <(wanted_columns) <(
      sed -nE '/^\(/,/^\)/ { / (MATERIALIZED|ALIAS) /d; s/^ +([a-z_]+) ([A-Z][^ ,]*).*/\1 \2/p; }' \
        "vendor/package/fleet/$file.sql" |
        sed -E 's/LowCardinality\((.*)\)/\1/; s/U?Int(8|16|32|64)/Int/; s/^ts DateTime64\(9$/ts String/' |
        sort
    ) || { echo "$file.sql (>) disagrees with docs/records.schema.json (<)"; return 1; }
  done
}

# ship HOST: one run of the shipper.
ship() {
  mkdir -p "$scratch/state/$1"
  BPFTRAP_SHIP_URL=$url BPFTRAP_SHIP_FROM=$scratch/fleet/$1.bpftrap BPFTRAP_SHIP_BATCH=$batch \
    STATE_DIRECTORY=$scratch/state/$1 PATH=$scratch/bin:$PATH exec vendor/package/fleet/ship.sh
}

empty_table() {
  rm -rf "$scratch/state"
  # After TRUNCATE the files of the rows remain for minutes, and a server that was killed finds them again.
  ask <<<'DROP TABLE bpftrap.records' && ask --multiquery <vendor/package/fleet/schema.sql
}

# Each value of a record comes back: null and an empty array, a truth value and a number are the same. Two
# hours with incidents are enough.
check_values() {
  local host kind
  batch=100000
  empty_table || return
  for host in "${hosts[@]}"; do
    (ship "$host") || return
  done
  # Without FINAL: with it, a query of all columns needs some GB.
  merge_parts || return
  for kind in exec exit; do
    grep -hE "^\{\"event\":\"$kind\",\"ts\":\"2026-11-24T(03|16):" "$scratch/lines" | jq -cS '
      map_values(if . == true then 1 elif . == false then 0 elif . == null or . == [] then empty else . end)' |
      sort >"$scratch/expected"
    ask --output_format_json_quote_64bit_integers 0 <<<"SELECT * FROM bpftrap.records
      WHERE event = '$kind' AND match(ts, '2026-11-24T(03|16):') FORMAT JSONEachRow" >"$scratch/rows" || return
    jq -cS --slurpfile schema docs/records.schema.json --arg kind "$kind" '
      ($schema[0].oneOf[] | select(.title == $kind) | .required + ["host", "boot_id"]) as $keys
      | . as $row
      | reduce $keys[] as $key ({}; if $row[$key] == null or $row[$key] == [] then . else .[$key] = $row[$key] end)
      ' "$scratch/rows" | sort >"$scratch/found"
    [[ -s $scratch/expected ]] && diff "$scratch/expected" "$scratch/found" || return
  done
}

# The identity of each record with an id, from the JSON lines of `bpftrap show`.
keys_of_lines() {
  awk -F'"' -v OFS='\t' '$12 == "id" { gsub(/[^0-9]/, "", $11)
    print $(NF - 5), $(NF - 1), $14, $4, $11, $8 }' "$@" | sort
}

# The same from the table.
keys_of_table() {
  ask <<<"SELECT host, boot_id, id, event, boot_ns, ts FROM bpftrap.records ${1-}
    WHERE id != '' FORMAT TSV" | sort
}

count_rows() {
  ask <<<"SELECT count() FROM bpftrap.records ${1-} WHERE id != ''"
}

# The table has each record once: by FINAL, and by itself after a merge.
is_complete() {
  keys_of_table FINAL >"$scratch/found"
  cmp "$scratch/keys" "$scratch/found" || return
  [[ $(ask <<<"SELECT sum(count) FROM bpftrap.records FINAL WHERE event = 'lost'") -eq 17 ]] ||
    { echo "the loss of 17 records is not reported once"; return 1; }
  [[ $(ask <<<"SELECT count() FROM bpftrap.records FINAL WHERE event = 'start'") -eq 4 ]] ||
    { echo "the four runs of recorders are not reported once each"; return 1; }
  merge_parts && keys_of_table >"$scratch/found" &&
    cmp "$scratch/keys" "$scratch/found"
}

# A shipper dies when the server has a batch, and before the cursor says so: each of them, once.
check_crash_before_commit() {
  local host
  batch=100000
  empty_table && ask <<<'SYSTEM STOP MERGES' && mkdir -p "$scratch/crash" || return
  # shellcheck disable=SC2016
  printf '#!/bin/bash\nkill -9 $PPID\n' >"$scratch/crash/mv"
  chmod +x "$scratch/crash/mv"
  for host in "${hosts[@]}"; do
    (PATH=$scratch/crash:$PATH ship "$host") 2>/dev/null
    [[ ! -e $scratch/state/$host/cursor ]] || return
    (ship "$host") || return
  done
  [[ $(count_rows) -eq $((2 * $(wc -l <"$scratch/keys"))) ]] ||
    { echo "not every record was sent twice, so this shows nothing"; return 1; }
  ask <<<'SYSTEM START MERGES' && is_complete
}

# ship_with_kills HOST KILLS SEED: kills the shipper so often, alone or with all of its children, each after a
# random time, then lets it end. Prints how many kills hit a shipper.
ship_with_kills() {
  local host=$1 hits=0 attempt pid delay target deadline=$((SECONDS + 900))
  RANDOM=$3
  for ((attempt = 0; attempt < 3 * $2 && hits < $2; attempt++)); do
    (ship "$host") >/dev/null 2>&1 &
    pid=$!
    # A command substitution would have random numbers of its own.
    printf -v delay '0.%03d' $((RANDOM % longest_ms))
    [[ $((RANDOM % 2)) -eq 0 ]] && target=$pid || target=-$pid
    sleep "$delay"
    kill -9 -- "$target" 2>/dev/null
    wait "$pid" 2>/dev/null
    [[ $? -ne 137 ]] || hits=$((hits + 1))
  done
  echo "$hits"
  # Fails while the server is down, and does nothing while a killed one's pipeline still runs.
  until (ship "$host") >"$scratch/state/$host.log" 2>&1 && ! grep -q another "$scratch/state/$host.log"; do
    [[ $SECONDS -lt $deadline ]] || return
    sleep 0.2
  done
}

check_delivery() {
  local host pid signal number=0
  local -a shippers=()
  batch=$1 longest_ms=$3
  empty_table || return
  mkdir -p "$scratch/state"
  for host in "${hosts[@]}"; do
    number=$((number + 1))
    # Job control gives each shipper a process group.
    (set -m && ship_with_kills "$host" "$2" $((seed * 10 + number))) 2>/dev/null >"$scratch/hits.$host" &
    shippers+=($!)
  done
  for signal in KILL TERM; do
    sleep 2
    stop_server "$signal"
    sleep 0.5
    start_server || return
  done
  for pid in "${shippers[@]}"; do
    wait "$pid" || return
  done
  number=$(awk '{ all += $1 } END { print all }' "$scratch"/hits.*)
  echo "$number kills; $(count_rows) records arrived, $(count_rows FINAL) of them are different"
  [[ $number -ge $2 ]] || { echo "there were too few kills, so this shows nothing"; return 1; }
  is_complete
}

# The records of a real recording have the keys of the columns.
check_real() {
  local expected
  [[ $(id -u) -eq 0 ]] || { echo "needs root"; return 77; }
  batch=100000
  empty_table || return
  # A failed exec, a process with two execs, and one that ends by a signal.
  "$scratch/bin/bpftrap" record -o "$scratch/fleet/real.bpftrap" -- \
    bash -c "(exec /nonexistent); (exec env /bin/true); (kill -9 \$BASHPID); exit 0" 2>"$scratch/log" ||
    { cat "$scratch/log"; return 1; }
  (ship real) || return
  expected=$("$scratch/bin/bpftrap" show --json --event "$events" "$scratch/fleet/real.bpftrap" |
    grep -c '"id"')
  [[ $expected -ge 8 && $(count_rows FINAL) -eq $expected ]] || return
  [[ $(ask <<<"SELECT countIf(errno = 'ENOENT'), countIf(signal = 'SIGKILL') FROM bpftrap.records FINAL
    FORMAT CSV") == 1,1 ]] || return
  # One process executed env, then true.
  [[ $(ask <<<"SELECT max(n) FROM (SELECT id, count() AS n FROM bpftrap.records FINAL
    WHERE event = 'exec' AND errno IS NULL GROUP BY id)") -eq 2 ]]
}

# page_with_answers: docs/fleet.md, with the present answers below the questions.
page_with_answers() {
  local line name
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [[ $line =~ ^'<!-- answer: '([a-z-]+)' -->'$ ]]; then
      name=${BASH_REMATCH[1]}
      printf '\n'
      ask_question "$name" | sed '/[^ ]/!d; s/^/    /'
      printf '\n<!-- end -->\n'
      while IFS= read -r line && [[ $line != '<!-- end -->' ]]; do :; done
    fi
  done <docs/fleet.md
}

# The page shows each question's answer.
check_answers() {
  local host question
  batch=100000
  empty_table || return
  for host in "${hosts[@]}"; do
    (ship "$host") || return
  done
  for question in vendor/package/fleet/questions/*.sql; do
    question=$(basename "$question" .sql)
    grep -qx "<!-- answer: $question -->" docs/fleet.md || { echo "the page lacks $question"; return 1; }
  done
  page_with_answers >"$scratch/page" || return
  ! $page || cp "$scratch/page" docs/fleet.md || return
  diff docs/fleet.md "$scratch/page"
}

make_fleet() {
  local host
  rm -rf "$scratch/fleet"
  mkdir -p "$scratch/fleet" && build/tests/bpftrap_fleet_hosts "$1" 1 "$scratch/fleet" || return
  for host in "${hosts[@]}"; do
    "$scratch/bin/bpftrap" show --json --event "$events" "$scratch/fleet/$host.bpftrap" 2>/dev/null
  done >"$scratch/lines"
  keys_of_lines "$scratch/lines" >"$scratch/keys"
  for host in "${hosts[@]}"; do
    grep -F "\"host\":\"$host\"" "$scratch/lines" >"$scratch/fleet/$host.json"
  done
  echo "$(wc -l <"$scratch/keys") records of ${#hosts[@]} hosts"
  [[ $(wc -l <"$scratch/keys") -ge $(($1 / 2)) ]]
}

build() {
  cmake --preset release -DBPFTRAP_TESTS=ON >/dev/null &&
    cmake --build build --target bpftrap bpftrap_fleet_hosts >/dev/null
}

ensure_packages build test fleet || exit 1
scratch=$(mktemp -d)
http_port=$(free_port)
tcp_port=$(free_port)
url=http://127.0.0.1:$http_port/
trap 'stop_server KILL; rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" && ln -s "${BPFTRAP_BIN:-$root/build/bpftrap}" "$scratch/bin/bpftrap"

check "columns" check_columns
build || fail "fleet: build"
engine=$(find_engine "$root/build-fleet") || fail "fleet: no ClickHouse"
[[ $failed -eq 0 ]] || finish
write_server_config
if ! start_server || ! ask --multiquery <vendor/package/fleet/schema.sql; then
  fail "fleet: no server"
  finish
fi

check "simulated hosts" make_fleet 60000
check "values" check_values
check "real records" check_real
check "answers" check_answers
check "crash before the cursor is kept" check_crash_before_commit
if $long; then
  # 64 % of the records are sent, because forks are not.
  check "a million records" make_fleet 1570000
  check "delivery" check_delivery 5000 40 900
else
  check "delivery" check_delivery 1000 10 300
fi
finish
