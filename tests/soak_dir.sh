#!/usr/bin/env bash
# Records a storm of processes into a directory of bounded size. The recorder is killed and restarted at
# intervals. So is a reader that follows with a cursor, by SIGTERM and SIGKILL in turn. Every process that
# ended outside the last second before a kill, and outside the time without a recorder, must be there exactly
# once. Only what a killed reader has printed last may be there again.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

case ${1:-1800} in
  *[!0-9]*)
    cat <<'END'
usage: tests/soak_dir.sh [SECONDS [INTERVAL]]

Runs build/bpftrap (or BPFTRAP_BIN) for SECONDS (default: 1800), and kills it each INTERVAL seconds
(default: 60). Prints a verdict; status 0 if all is well, else 1. Needs root.
END
    [[ $1 == --help || $1 == -h ]]
    exit
    ;;
esac
seconds=${1:-1800}
interval=${2:-60}
bpftrap=${BPFTRAP_BIN:-build/bpftrap}
user=54323 # no other process has this user, so only the storm is recorded
keep=$((16 << 20))

if [[ $(id -u) -ne 0 || ! -x $bpftrap ]]; then
  echo "tests/soak_dir.sh: needs root and a built $bpftrap" >&2
  exit 1
fi
scratch=$(mktemp -d)
chmod 755 "$scratch"
directory=$scratch/recorder
recorder=
reader=
readers=0
reader_status=0
killed_readers=()
started=()
trap 'touch "$scratch/end"; kill "${started[@]}" $recorder $reader 2>/dev/null; wait; rm -rf "$scratch"' EXIT

now() { date +%s.%N; }

# Starts the recorder, and notes when it is live.
start_recorder() {
  local before
  before=$(du -sb "$directory" 2>/dev/null | cut -f 1)
  # The buffer is large, so that a busy machine loses no records.
  "$bpftrap" record --dir "$directory" --keep $keep --user $user --buffer-size 64M \
    2>>"$scratch/errors" &
  recorder=$!
  while [[ $(du -sb "$directory" 2>/dev/null | cut -f 1) == "$before" ]] &&
    kill -0 "$recorder" 2>/dev/null; do
    sleep 0.05
  done
  live=$(now)
}

start_reader() {
  readers=$((readers + 1))
  "$bpftrap" show "$directory" --json --event exit --follow --cursor-file "$scratch/cursor" \
    >"$scratch/records.$readers" 2>>"$scratch/errors" &
  reader=$!
}

end_reader() { # SIGNAL
  local status
  kill "-$1" "$reader"
  wait "$reader" 2>/dev/null
  status=$?
  [[ $1 == KILL || $status -eq 0 ]] || reader_status=$status
  [[ $1 != KILL ]] || killed_readers+=("$readers")
  reader=
}

# Each process has its own number in its arguments, and each loop notes when it began to start it. The
# pause leaves time to others, such as the reader.
storm() {
  # shellcheck disable=SC2016 # of the inner shell
  setpriv --reuid $user --clear-groups bash -c '
    n=0
    while [[ ! -e $1/end ]]; do
      n=$((n + 1))
      echo "$EPOCHREALTIME $2-$n"
      /bin/true "soak-$2-$n"
      ((n % 20)) || sleep 0.01
    done' storm "$scratch" "$1" >"$scratch/started.$1"
}

start_recorder
for ((i = 0; i < $(nproc); i++)); do
  storm "$i" &
  started+=($!)
done

exceeded=0
begin=$SECONDS
spans=() # `live killed`: times of the recorder
next=$interval
start_reader
while ((SECONDS - begin < seconds)); do
  sleep 1
  size=$(du -s --block-size=1 "$directory" | cut -f 1)
  ((size <= keep + 4096)) || exceeded=$size
  if ((SECONDS - begin >= next && SECONDS - begin < seconds)); then
    next=$((next + interval))
    spans+=("$live $(now)")
    kill -KILL "$recorder"
    wait "$recorder" 2>/dev/null
    start_recorder
    if ((${#spans[@]} % 2)); then end_reader TERM; else end_reader KILL; fi
    start_reader
  fi
done
touch "$scratch/end"
for pid in "${started[@]}"; do
  wait "$pid"
done
sleep 1.5
spans+=("$live $(now | awk '{ print $1 + 10 }')") # stopped by SIGTERM, without loss
kill -TERM "$recorder"
wait "$recorder"
status=$?
sleep 1.5
end_reader TERM
recorder=
started=()

# A process is due if it began when a recorder was live, and more than 1.2 s before that was killed.
cat "$scratch"/started.* | awk -v spans="$(printf '%s\n' "${spans[@]}")" '
  BEGIN { count = split(spans, span, "\n") }
  { for (i = 1; i <= count; i++) {
      split(span[i], at, " ")
      if ($1 > at[1] && $1 < at[2] - 1.2) { print $2; break }
    } }' | sort >"$scratch/due"
for ((i = 1; i <= readers; i++)); do
  grep -o '"args":\["/bin/true","soak-[0-9]*-[0-9]*"' "$scratch/records.$i" |
    sed 's/.*soak-//; s/"//' | sort >"$scratch/found.$i"
done
# The next reader repeats what a killed one has printed behind its last position.
repeated=0
for i in "${killed_readers[@]}"; do
  repeated=$((repeated + $(comm -12 "$scratch/found.$i" "$scratch/found.$((i + 1))" | wc -l)))
  comm -23 "$scratch/found.$i" "$scratch/found.$((i + 1))" >"$scratch/once"
  mv "$scratch/once" "$scratch/found.$i"
done
sort "$scratch"/found.* >"$scratch/found"
due=$(wc -l <"$scratch/due")
missing=$(comm -23 "$scratch/due" <(uniq "$scratch/found") | wc -l)
twice=$(uniq -d "$scratch/found" | wc -l)
lost=$(cat "$scratch"/records.* | sed -n 's/^{"event":"lost".*"count":\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }')

# shellcheck source=tests/verdict.sh
source tests/verdict.sh
verdict "$status == 0 && $reader_status == 0" "recorder and readers ended with $status and $reader_status"
verdict "exceeded == 0" "the directory never exceeded $keep bytes by more than a page ($exceeded)"
verdict "due > 0 && missing == 0" "$due ends due over ${#spans[@]} runs: $missing missing, $lost events lost"
verdict "twice == 0" "$twice ends printed twice, beside $repeated behind ${#killed_readers[@]} killed readers"
verdict "$(grep -c damaged "$scratch/errors") == 0" "no reader found damage"
[[ $failed -eq 0 ]] || cat "$scratch/errors"
exit $failed
