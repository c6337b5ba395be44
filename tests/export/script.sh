#!/usr/bin/env bash
# Runs scripts of --script, and compares what they execute with what was recorded.
# shellcheck disable=SC2016 # code of perl
# shellcheck source=tests/export/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Says who it is: argv, environment, directory and umask, in the file that the last argument names.
cat >reveal.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
extern char **environ;
static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
int main(int argc, char **argv) {
  char directory[4096];
  int count = 0;
  FILE *to = fopen(argv[argc - 1], "w");
  if (to == NULL) return 1;
  for (int i = 0; i < argc; i++) fprintf(to, "argument %s\n", argv[i]);
  while (environ[count] != NULL) count++;
  qsort(environ, count, sizeof *environ, compare);
  for (int i = 0; i < count; i++) fprintf(to, "variable %s\n", environ[i]);
  fprintf(to, "directory %s\numask %o\n", getcwd(directory, sizeof directory), umask(0));
  return fclose(to);
}
END
gcc -o reveal reveal.c
cp reveal 'a=b'
# The kernel puts the interpreter before the arguments of a script.
printf '#!%s -x\n' "$scratch/reveal" >interpreted
chmod +x interpreted
odd=$'- a\nb\'c"$(touch '"$scratch"$'/bad)`\\!*?~#\t\x01\x1b[31m\x7f\x80\x9b\xff \u202e\u00e4\n'
all=$(printf '%b' "$(printf '\\%03o' {1..255})x")
directory=$'-dir \n\x1b\xff\''
mkdir -- "$directory"

# round_trip NAME PERL_CODE: the code executes `reveal` in the odd directory. `$file` is the program,
# `$out` the file to write. Runs the script for it in several shells.
round_trip() {
  rm -f recording first
  run record -o recording --env '*' -- env -i "ODD=$odd" "ALL=$all" EMPTY= "$(command -v perl)" \
    -e 'chdir $ARGV[1]; umask 0127; $out = $ARGV[0]; $dir = $ARGV[2]; $odd = $ARGV[3]; $all = $ARGV[4];
        $ENV{"-x"} = "-y"; '"$2"'; die $!' "$scratch/first" "$directory" "$scratch" "$odd" "$all"
  [[ -s first ]] || { complain "$1: not executed"; return; }
  mv first expected
  id=$("$bpftrap" show recording --json 2>/dev/null |
    jq -r 'select(.event == "exec" and (.exe | test("/(reveal|a=b)$"))) | .id' | tail -1)
  "$bpftrap" show recording --script "$id" >again.sh 2>messages || complain "$1: $(cat messages)"
  LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f-\xff]' again.sh && LC_ALL=C.UTF-8 grep -qP '[\x00-\x09\x0b-\x1f\x7f]' again.sh &&
    complain "$1: control characters in the script"
  for shell in dash "bash --posix" "busybox sh"; do
    rm -f first
    # The caller's own variables must not get through.
    # shellcheck disable=SC2086 # words
    (cd / && OTHER=1 $shell "$scratch/again.sh") || complain "$1, $shell: status $?"
    [[ -s first ]] || { complain "$1, $shell: nothing ran"; continue; }
    expect_same "$1, $shell" expected first
  done
  [[ ! -e bad ]] || complain "$1: an argument was executed"
}

round_trip "argv[0] is the file" 'exec {"$dir/reveal"} "$dir/reveal", $odd, "", $all, "-n", "--", "A=b", $out'
round_trip "argv[0] is a name" 'exec {"$dir/reveal"} "reveal", $odd, $out'
round_trip "argv[0] is odd" 'exec {"$dir/reveal"} "-$odd", $out'
round_trip "file with =" 'exec {"$dir/a=b"} "$dir/a=b", $out'
round_trip "relative file" 'exec {"../reveal"} "../reveal", $out'
round_trip "script" 'exec {"../interpreted"} "ignored", "one", $odd, $out'
round_trip "after another program" 'exec "/bin/sh", "-c", q(exec "$0" "$@"), "$dir/reveal", $odd, $out'

# Without the environment, the script says so and keeps that of the caller.
run record -o recording -- env -C / "$scratch/reveal" "$scratch/first"
id=$("$bpftrap" show recording --json 2>/dev/null |
  jq -r 'select(.event == "exec" and (.exe | endswith("/reveal"))) | .id')
rm again.sh
run show recording --script "$id" -o again.sh
grep -q '^# The environment was not recorded' again.sh || complain "says nothing of the environment"
[[ $(stat -c %a again.sh) == 600 ]] || complain "mode $(stat -c %a again.sh)"
MARK=1 sh again.sh
grep -q '^variable MARK=1$' first || complain "the environment of the caller is lost"
grep -q '^directory /$' first || complain "another directory"

status=0
"$bpftrap" show recording --script 1-2 >found 2>messages || status=$?
[[ $status -eq 1 && ! -s found ]] || complain "status $status for an unknown id"
grep -q 'no program of process 1-2; the recording spans ' messages || complain "$(cat messages)"
finish
