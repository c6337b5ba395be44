#!/bin/bash
# Runs in the guest of service.sh, once in each boot. Prints a line per check, and ends the guest.
trap 'sync; poweroff -f' ERR EXIT

verdict() { # TEXT COMMAND...
  local text=$1
  shift
  if "$@"; then
    echo "ok      $text"
  else
    echo "FAILED  $text: $("$@" 2>&1 | tail -n 5)"
  fi
}

# until_true COMMAND...: for 20 seconds at most.
until_true() {
  local i
  for ((i = 0; i < 200; i++)); do
    "$@" && return
    sleep 0.1
  done
  return 1
}

records() { runuser -u reader -- bpftrap show --system --json --event exec "$@"; }
has_once() { [[ $(records --since today 2>/dev/null | grep -c "\"args\":\[\"/bin/true\",\"$1\"\]") == 1 ]]; }
has() { until_true has_once "$1"; }
is_live() { [[ -n $(find /var/lib/bpftrap -name '*.bpftrap' -size +0) ]]; }
main_pid() { systemctl show -p MainPID --value bpftrap; }
runs_again() { systemctl is-active -q bpftrap && [[ $(main_pid) != 0 && $(main_pid) != "$1" ]]; }
# A process that a recorder records is only found when it is live: try until it is.
seen() { /bin/true "$1" && sleep 1.5 && records --since -10s 2>/dev/null | grep -q "\"$1\""; }

if [[ ! -e /root/first-boot ]]; then
  touch /root/first-boot
  verdict "the recorder runs" until_true systemctl is-active -q bpftrap
  verdict "it writes" until_true is_live
  verdict "it is live" until_true seen "probe-$RANDOM"
  /bin/true one
  sleep 2
  old=$(main_pid)
  kill -KILL "$old"
  verdict "it is restarted after kill -9" until_true runs_again "$old"
  verdict "it is live again" until_true seen "probe-$RANDOM"
  /bin/true two
  verdict "before the kill" has one
  verdict "after the kill" has two
  trap - ERR EXIT
  systemctl reboot
  exit
fi

verdict "the recorder runs after a reboot" until_true systemctl is-active -q bpftrap
verdict "it is live after a reboot" until_true seen "probe-$RANDOM"
/bin/true three
verdict "the second boot" has three
verdict "the first boot, before the kill" has one
verdict "the first boot, after the kill" has two
boots() { [[ $(records --since today 2>/dev/null | sed -n 's/.*"boot_id":"\([^"]*\)".*/\1/p' | sort -u | wc -l) == 2 ]]; }
verdict "two boots" boots
modes() { [[ $(stat -c '%a %U %G' /var/lib/bpftrap/000.bpftrap) == "640 bpftrap adm" ]]; }
verdict "files belong to adm" modes
refused() { runuser -u nobody -- bpftrap show --system 2>&1 | grep -q 'members of the group adm may read it'; }
verdict "others are told who may read" refused
# systemd sends the signal; the answer is the one who asked it to.
systemd-run -q --unit=patient sleep 1000
verdict "a unit runs" until_true systemctl is-active -q patient
sleep 1
systemctl stop patient
explained() {
  runuser -u reader -- bpftrap why died patient.service /var/lib/bpftrap >/root/answer 2>&1
  grep -q 'SIGTERM' /root/answer && grep -q 'systemctl stop patient' /root/answer
}
verdict "why died names who stopped a unit" until_true explained
cat /root/answer
examined() { bpftrap doctor | grep -q '^ok *recorder *runs; .* 0 lost'; }
verdict "doctor reports the recorder" examined
rated() { [[ $(systemd-analyze security --threshold=20 --no-pager bpftrap >/dev/null && echo safe) == safe ]]; }
verdict "systemd rates the service below 2.0" rated
stopped() { systemctl stop bpftrap && [[ $(systemctl show -p Result --value bpftrap) == success ]]; }
verdict "it stops by SIGTERM" stopped
gap() { records --since today 2>&1 >/dev/null | grep -q 'without a recorder'; }
verdict "the time without it is reported" gap
journal() { [[ -z $(journalctl -q -u bpftrap -b -p warning --no-pager) ]] && ! journalctl -b -k --no-pager | grep -qE 'BUG:|WARNING:|Oops'; }
verdict "the journal is clean" journal
verdict "the end" true
