#!/usr/bin/env bash
# Runs bpftrap under a storm of processes. Its memory and open files must not grow, and its counts of
# records and losses must add up to the started processes.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

case ${1:-600} in
  *[!0-9]*)
    cat <<'END'
usage: tests/soak.sh [SECONDS]

Traces a storm of short processes with build/bpftrap (or BPFTRAP_BIN) for SECONDS (default: 600), one
loop per processor. Prints samples and a verdict; status 0 if all is well, else 1. Needs root.
END
    [[ $1 == --help || $1 == -h ]]
    exit
    ;;
esac
seconds=${1:-600}
bpftrap=${BPFTRAP_BIN:-build/bpftrap}
user=54322 # no other process has this user, so only the storm is traced

if [[ $(id -u) -ne 0 || ! -x $bpftrap || $seconds -lt 10 ]]; then
  echo "tests/soak.sh: needs root, a built $bpftrap and 10 seconds" >&2
  exit 1
fi
scratch=$(mktemp -d)
chmod 755 "$scratch"
mkfifo "$scratch/records"
started=() # pids
trap 'touch "$scratch/end"; kill "${started[@]}" 2>/dev/null; wait; rm -rf "$scratch"' EXIT

"$bpftrap" exec --json --user $user >"$scratch/records" 2>"$scratch/errors" &
traced=$!
started+=("$traced")
exec 9<"$scratch/records"
if ! read -r -t 60 -u 9 _; then # the line `start`, so tracing is live
  cat "$scratch/errors" >&2
  exit 1
fi
# Counts the records and, from time to time, writes records, losses, and the two counts in `stop`.
echo "0 0" >"$scratch/said"
awk -v said="$scratch/said" '
  function say() { print records + 0, lost + 0, stop > (said ".new"); close(said ".new")
                   system("mv " said ".new " said) }
  /^[{]"event":"(exec|exit)"/ { records++; if (records % 2000 == 0) say() }
  /^[{]"event":"lost"/ { match($0, /"count":[0-9]+/); lost += substr($0, RSTART + 8, RLENGTH - 8) }
  /^[{]"event":"stop"/ { match($0, /"records":[0-9]+/); stop = substr($0, RSTART + 10, RLENGTH - 10)
                       match($0, /"lost":[0-9]+/); stop = stop " " substr($0, RSTART + 7, RLENGTH - 7) }
  END { say() }' <&9 &
counter=$!
started+=("$counter")
exec 9<&-

# Each loop prints the number of processes that it has started. Each of them, and the loop itself, has
# one exec and one exit.
storms=()
for ((i = 0; i < $(nproc); i++)); do
  # shellcheck disable=SC2016 # of the inner shell
  setpriv --reuid $user --clear-groups \
    sh -c 'n=0; while [ ! -e "$1/end" ]; do /bin/true; n=$((n + 1)); done; echo $n' storm "$scratch" \
    >"$scratch/started.$i" &
  storms+=($!)
done
started+=("${storms[@]}")

rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$traced/status"; }
open_files() { find "/proc/$traced/fd" -mindepth 1 2>/dev/null | wc -l; }
samples=20
rss_first=0 rss_second=0 files_first=0 files_last=0 died=false
echo "second  RSS kB  files    records     lost"
begin=$SECONDS
for ((sample = 1; sample <= samples; sample++)); do
  while ((SECONDS - begin < seconds * sample / samples)); do
    sleep 0.5
  done
  kilobytes=$(rss)
  files_last=$(open_files)
  read -r records lost _ <"$scratch/said"
  if [[ -z $kilobytes ]]; then
    died=true
    break
  fi
  printf '%6d  %6d  %5d  %9d  %7d\n' $((SECONDS - begin)) "$kilobytes" "$files_last" "$records" "$lost"
  # The maximum of each half, without the first tenth, in which caches fill.
  if ((sample <= samples / 10)); then
    files_first=$files_last
  elif ((sample <= samples / 2)); then
    rss_first=$((kilobytes > rss_first ? kilobytes : rss_first))
  else
    rss_second=$((kilobytes > rss_second ? kilobytes : rss_second))
  fi
done

touch "$scratch/end"
wait "${storms[@]}"
kill -TERM "$traced"
wait "$traced"
status=$?
wait "$counter"
started=()
read -r records lost stop_records stop_lost <"$scratch/said"
expected=0
for file in "$scratch"/started.*; do
  expected=$((expected + 2 * ($(cat "$file") + 1)))
done

# shellcheck source=tests/verdict.sh
source tests/verdict.sh
echo
$died && died=1 || died=0
verdict "!$died && $status == 0" "bpftrap ran to the end, status $status $(cat "$scratch/errors")"
# The margin allows for pages that are touched only now and then.
verdict "rss_second <= rss_first + 1024" "memory: maximum $rss_first kB in the first half, $rss_second kB in the second"
verdict "files_first == files_last" "open files: $files_first at the start, $files_last at the end"
verdict "records + lost == expected" "$expected records expected: $records written and $lost lost, $((expected / seconds)) per second"
verdict "${stop_records:-0} == records && ${stop_lost:-0} == lost" "the stop record has the same counts"
exit $failed
