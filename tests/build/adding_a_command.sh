#!/usr/bin/env bash
# docs/adding-a-command.md tells the truth: with the files and the line that it shows, and nothing
# else, bpftrap has one more command, which shows a process that this script starts.
set -euo pipefail
page=docs/adding-a-command.md
scratch=$(mktemp -d)
tracer=
cleanup() {
  [[ -z $tracer ]] || kill "$tracer" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT

complain() {
  echo "$*" >&2
  exit 1
}

# In a copy, for the command is not to stay.
tree=$scratch/tree
mkdir "$tree"
cp -r CMakeLists.txt CMakePresets.json src vendor "$tree/"

# <!-- file: PATH --> stands before a fenced block that is a file, <!-- line: PATH --> before one to
# be added to it.
awk -v tree="$tree" '
  match($0, /^<!-- (file|line): [^ ]+ -->$/) { path = tree "/" $3; adds = ($2 == "line:"); next }
  /^```/ && inside { inside = 0; close(path); path = ""; next }
  /^```/ && path != "" { inside = 1; if (!adds) printf "" >path; next }
  inside && adds { print >>path }
  inside && !adds { print >path }
' "$page"

changes=$(diff -rq src "$tree/src" || true)
new=$(grep -c '^Only in' <<<"$changes" || true)
changed=$(grep '^Files' <<<"$changes" || true)
[[ $new -ge 1 && $new -le 3 ]] || complain "$new new files where one to three are promised: $changes"
[[ $(wc -l <<<"$changed") == 1 && $changed == *commands.def* ]] ||
  complain "more than commands.def is changed: $changes"
line=$(diff src/cli/commands.def "$tree/src/cli/commands.def" | grep '^[<>]' || true)
[[ $line == '> COMMAND('*')' && $(wc -l <<<"$line") == 1 ]] ||
  complain "more than one line is added to commands.def: $line"
name=${line#*\(}
name=${name%%,*}

cd "$tree"
cmake --preset release >/dev/null
log=$(cmake --build --preset release 2>&1) || complain "$log"
bpftrap=$tree/build/bpftrap
[[ $("$bpftrap" --help) == *"  $name "* ]] || complain "bpftrap --help does not list $name"
"$bpftrap" "$name" --help >/dev/null

if [[ $(id -u) -ne 0 ]]; then
  echo "bpftrap $name is built, but only root can run it"
  exit 77
fi

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local left=$(($1 * 20))
  shift
  until "$@"; do
    ((left-- > 0)) || return 1
    kill -0 "$tracer" 2>/dev/null || return 1
    sleep 0.05
  done
}

records=$scratch/records
"$bpftrap" "$name" --json --timeout 1m >"$records" 2>"$scratch/messages" &
tracer=$!
# Written once the programs are attached.
wait_for 20 grep -q '"event":"start"' "$records" ||
  complain "bpftrap $name did not start: $(cat "$scratch/messages")"
sleep 0 &
child=$!
wait "$child"
shown() { grep -q "\"event\":\"$name\".*\"pid\":$child,.*\"ppid\":$$," "$records"; }
wait_for 20 shown || complain "bpftrap $name does not show process $child, a child of $$"
kill -INT "$tracer"
status=0
wait "$tracer" || status=$?
tracer=
[[ $status -eq 0 ]] || complain "bpftrap $name ended with status $status: $(cat "$scratch/messages")"
tail -n 1 "$records" | grep -q '"event":"stop"' || complain "the last record is not stop"

# And as a table: a header, then rows.
"$bpftrap" "$name" --count 1 --timeout 20s >"$scratch/table" &
tracer=$!
for _ in {1..100}; do
  kill -0 "$tracer" 2>/dev/null || break
  sleep 0.05
done
wait "$tracer"
tracer=
[[ $(wc -l <"$scratch/table") -eq 2 ]] || complain "no table of one row: $(cat "$scratch/table")"
