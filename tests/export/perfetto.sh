#!/usr/bin/env bash
# Decodes a trace of --perfetto with protoc, by a list of fields of its own, and compares it with what
# ran. tests/unit/export/perfetto_test.cpp checks nesting and ids.
# shellcheck source=tests/export/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat >workload <<'END'
for i in 1 2 3; do /bin/true "$i"; done
/bin/sh -c 'exec /bin/false'
sh -c 'kill -SEGV $$'
/nonexistent/program
SECRET=hidden /bin/true
wait
END
run record -o recording --env '*' --perfetto found -- sh workload 2>/dev/null
grep -q '^bpftrap: wrote found: ' messages || complain "$(cat messages)"
[[ $(stat -c %a found) == 600 ]] || complain "mode $(stat -c %a found)"
run show recording --perfetto shown
cmp found shown || complain "record and show differ"
protoc --proto_path="$here" --decode=Trace perfetto.proto <found >text || complain "protoc refuses it"
# protoc prints a field that the list lacks by its number.
! grep -E '^ *[0-9]+(:| \{)' text || complain "fields that are not in the list"
! grep -aq 'SECRET=hidden' found || complain "the environment is in it"

"$bpftrap" show recording --json --event exec,failed,fork,exit 2>/dev/null >records
count() { jq -c "select($1)" records | wc -l; }
expect_count() {
  [[ $2 -eq $3 ]] || complain "$1: $3, and not $2"
}
expect_count "process descriptors" "$(jq -r .id records | grep -v null | sort -u | wc -l)" \
  "$(grep -c '^    process {' text)"
expect_count "slices" "$(grep -c 'type: SLICE_BEGIN' text)" "$(grep -c 'type: SLICE_END' text)"
expect_count "flows that begin" "$(count '.event == "fork"')" "$(grep -c ' flow_ids: ' text)"
expect_count "flows that end" "$(count '.event == "fork"')" "$(grep -c ' terminating_flow_ids: ' text)"
for name in failed signal 'failed exec'; do
  grep -q "name: \"$name\"" text || complain "no category '$name'"
done
expect_count "packets that clear the state" 1 "$(grep -c 'sequence_flags: 1' text)"
finish
