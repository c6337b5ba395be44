#!/usr/bin/env bash
# vendor/new-command.sh creates three files and a line, and refuses every name that would not build.
# adding_a_command.sh builds and runs what it creates.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

complain() {
  echo "$*" >&2
  exit 1
}

mkdir "$scratch/docs"
cp -r src vendor "$scratch/"
cp docs/adding-a-command.md "$scratch/docs/"
cp -r "$scratch/src" "$scratch/before"
new_command() { "$scratch/vendor/new-command.sh" "$@"; }

# expect_refused REASON ARGUMENTS...: one line, status 2, no change.
expect_refused() {
  local reason=$1 message status=0
  shift
  message=$(new_command "$@" 2>&1) || status=$?
  [[ $status == 2 ]] || complain "new-command.sh $*: status $status"
  [[ $(wc -l <<<"$message") == 1 && $message == *"$reason"* ]] || complain "new-command.sh $*: $message"
  diff -r "$scratch/before" "$scratch/src" || complain "new-command.sh $* changed files"
}
expect_refused "expected one NAME"
expect_refused "expected one NAME" open close
expect_refused "is not a name" ''
for name in Open open-files 9p open_ _open open__files 'a b' '../x' -x 'a/b' 'a&b'; do
  expect_refused "is not a name" "$name"
done
expect_refused "is too long" "$(printf 'a%.0s' {1..33})"
for name in exec hello doctor; do
  expect_refused "is a command already" "$name"
done
expect_refused "taken by bpftrap help" help
expect_refused "src/bpf/process.bpf.c exists" process
expect_refused "src/bpf/scope.bpf.h exists" scope
for name in start stop lost; do # the records of every command
  expect_refused "choose another name" "$name"
done

message=$(new_command open)
[[ $message == *"./vendor/build.sh"*"sudo ./build/bpftrap open"* ]] || complain "no commands: $message"
changes=$(diff -rq "$scratch/before" "$scratch/src" || true)
for file in bpf/open.event.h bpf/open.bpf.c cli/cmd_open.cpp; do
  [[ -s $scratch/src/$file ]] || complain "no $file"
  ! grep -qi 'opens' "$scratch/src/$file" || complain "$file has the name of the example"
done
[[ $(grep -c '^Only in' <<<"$changes") == 3 ]] || complain "not three new files: $changes"
line=$(diff "$scratch/before/cli/commands.def" "$scratch/src/cli/commands.def" | grep '^[<>]' || true)
[[ $line == '> COMMAND(open, "'*'")' ]] || complain "not one line in commands.def: $line"
