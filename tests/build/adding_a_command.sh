#!/usr/bin/env bash
# docs/adding-a-command.md is true: vendor/new-command.sh makes tracers from it that build, show what
# a process does, and have filters. The option that the page adds works. A program that the verifier
# rejects is explained to its author.
set -euo pipefail
root=$PWD
if [[ $(id -u) -eq 0 && ${BPFTRAP_UNSHARED:-} != true ]] && unshare --mount true 2>/dev/null; then
  BPFTRAP_UNSHARED=true exec unshare --mount --propagation private -- "$0" "$@"
fi

scratch=$(mktemp -d)
tracer=
cleanup() {
  cd /
  [[ ${BPFTRAP_UNSHARED:-} != true ]] || umount -l "$root" 2>/dev/null || true
  [[ -z $tracer ]] || kill "$tracer" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT

complain() {
  echo "$*" >&2
  [[ ! -s $scratch/messages ]] || cat "$scratch/messages" >&2
  exit 1
}

# In a copy, because the commands are not to stay. For root it takes the place of the original in a mount
# namespace, so that the objects of the release build stay valid. `about_files` sorts before all other headers.
tree=$scratch/tree
mkdir -p "$tree/docs"
cp -a CMakeLists.txt CMakePresets.json src vendor "$tree/"
cp docs/adding-a-command.md "$tree/docs/"
if [[ ${BPFTRAP_UNSHARED:-} == true ]]; then
  mkdir "$tree/build"
  find "${BPFTRAP_BUILD_DIR:?}" -mindepth 1 -maxdepth 1 ! -name tests -exec cp -a -t "$tree/build" '{}' +
  mount --bind "$tree" "$root"
  tree=$root
fi
cd "$tree"
vendor/new-command.sh opens >/dev/null
vendor/new-command.sh about_files >/dev/null

build() {
  cmake --preset release -DBPFTRAP_TESTS=OFF >/dev/null
  local log
  log=$(cmake --build --preset release 2>&1) || complain "$log"
}
build
bpftrap=$tree/build/bpftrap
for name in opens about_files; do
  [[ $("$bpftrap" --help) =~ [[:space:]]"$name"[[:space:]] ]] || complain "bpftrap --help does not list $name"
  [[ $("$bpftrap" "$name" --help) == *"bpftrap $name [OPTIONS] [-- PROGRAM ARGS...]"*"--pid"* ]] ||
    complain "bpftrap $name --help does not show its filters"
done

if [[ $(id -u) -ne 0 ]]; then
  echo "the commands are built, but only root can run them"
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
# start_tracer COMMAND...: returns when the tracer is attached.
start_tracer() {
  : >"$records" # the shell below may open it late, when it still has another tracer's start
  "$bpftrap" "$1" --json --timeout 1m "${@:2}" >"$records" 2>"$scratch/messages" &
  tracer=$!
  wait_for 20 grep -q '"event":"start"' "$records" || complain "bpftrap $* did not start"
}
stop_tracer() {
  local status=0
  kill -INT "$tracer"
  wait "$tracer" || status=$?
  tracer=
  [[ $status -eq 0 ]] || complain "status $status instead of 0"
  tail -n 1 "$records" | grep -q '"event":"stop"' || complain "the last record is not stop"
}
shown() { grep -q "\"event\":\"$name\".*\"pid\":$1,.*\"path\":\"$2\"" "$records"; }
# touch_as_child FILE: opens it in a child of this script, whose pid is in `child` then.
touch_as_child() {
  : >"$1"
  cat "$1" &
  child=$!
  wait "$child"
}

for name in opens about_files; do
  # Every process, but not bpftrap itself.
  start_tracer "$name"
  touch_as_child "$scratch/any"
  wait_for 20 shown "$child" "$scratch/any" || complain "bpftrap $name does not show process $child"
  ! grep -q "\"pid\":$tracer," "$records" || complain "bpftrap $name shows its own events"
  stop_tracer

  # --pid and --tree: this script, and with --tree its children.
  start_tracer "$name" --pid $$
  touch_as_child "$scratch/pid"
  wait_for 20 shown $$ "$scratch/pid" || complain "--pid does not show the process"
  ! grep -q "\"pid\":$child," "$records" || complain "--pid shows another process"
  stop_tracer
  start_tracer "$name" --tree $$
  touch_as_child "$scratch/child"
  wait_for 20 shown "$child" "$scratch/child" || complain "--tree does not show a child"
  stop_tracer

  # --user: nobody executes anything here.
  start_tracer "$name" --user 64999
  touch_as_child "$scratch/user"
  stop_tracer
  [[ $(wc -l <"$records") == 2 ]] || complain "--user shows others: $(cat "$records")"

  # PROGRAM and its children and nobody else, and PROGRAM's exit status.
  start_tracer "$name" -- sleep 1
  touch_as_child "$scratch/other"
  wait "$tracer" || complain "PROGRAM ended with status 0, bpftrap did not"
  tracer=
  ! grep -q "$scratch/other" "$records" || complain "-- PROGRAM shows another process"
  status=0
  "$bpftrap" "$name" --json -o "$records" -- \
    sh -c "cat '$scratch/any'; (echo >'$scratch/program'); exit 7" 2>"$scratch/messages" || status=$?
  [[ $status == 7 ]] || complain "status $status instead of PROGRAM's"
  for path in any program; do
    grep -q "\"path\":\"$scratch/$path\"" "$records" || complain "-- PROGRAM does not show $path"
  done

  # A table: a header, then rows.
  timeout 30 "$bpftrap" "$name" --count 1 -- cat "$scratch/any" >"$scratch/table"
  [[ $(wc -l <"$scratch/table") == 2 && $(head -n 1 "$scratch/table") =~ ^TIME.*PATH$ ]] ||
    complain "no table of one row: $(cat "$scratch/table")"
done

# The option that the page adds.
awk '/^<!-- patch -->$/ { found = 1; next } found && /^```/ { if (inside) exit; inside = 1; next } inside' \
  docs/adding-a-command.md | patch -p0 -s || complain "the change on the page does not apply"
# And a program without the check for a full ring buffer.
sed -i '/if (!event)/,+1d' src/bpf/about_files.bpf.c
build
"$bpftrap" opens --write --json -o "$records" -- sh -c "cat '$scratch/any'; echo >'$scratch/written'"
grep -q "\"path\":\"$scratch/written\"" "$records" || complain "--write does not show a file being written"
! grep -q "\"path\":\"$scratch/any\"" "$records" || complain "--write shows a file being read"

status=0
message=$("$bpftrap" about_files 2>&1) || status=$?
[[ $status == 1 ]] || complain "a rejected program: status $status"
for part in "rejects on_openat" "if you did not change it" "stream.bpf.h:" "header->" \
  "invalid mem access"; do
  [[ $message == *"$part"* ]] || complain "a rejected program: no '$part' in: $message"
done
