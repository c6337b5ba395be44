#!/usr/bin/env bash
# The completions as the shells execute them: each offers commands, options, and values by their kind.
# completions.sh bash|zsh|fish DIRECTORY: what `make_manual` wrote is in DIRECTORY.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
shell=$1 manual=$2
scratch=$(mktemp -d)
sleep 300 &
sleeper=$!
trap 'kill $sleeper; rm -rf "$scratch"' EXIT

# offers_SHELL WORD...: prints what the shell offers for the last word.
offers_bash() {
  # shellcheck disable=SC2016 # of the inner shell
  bash --norc -c '
    source "$1"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
    _bpftrap
    printf "%s\n" "${COMPREPLY[@]}"' bash "$manual/bpftrap.bash" "$@"
}

offers_zsh() {
  mkdir -p "$scratch/functions"
  cp "$manual/bpftrap.zsh" "$scratch/functions/_bpftrap"
  zsh -f tests/package/completions.zsh "$scratch/functions" "$*"
}

offers_fish() {
  # shellcheck disable=SC2016 # of fish
  HOME=$scratch fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
    "$manual/bpftrap.fish" "$*" | cut -f 1
}

# expect CANDIDATE WORD...: the shell offers it for these words.
expect() {
  local candidate=$1 offered
  shift
  offered=$("offers_$shell" "$@")
  if ! grep -qxF -e "$candidate" <<<"$offered"; then
    echo "$shell: '$*' lacks '$candidate' among:" >&2
    head -n 20 <<<"$offered" >&2
    exit 1
  fi
}

# refuse CANDIDATE WORD...: the shell does not offer it.
refuse() {
  local candidate=$1
  shift
  if grep -qxF -e "$candidate" <<<"$("offers_$shell" "$@")"; then
    echo "$shell: '$*' offers '$candidate'" >&2
    exit 1
  fi
}

expect exec bpftrap ex
expect --version bpftrap --v
expect exit bpftrap help exi
expect exec,failed bpftrap exec --event exec,fai
expect +exit bpftrap exec --event +exi
expect --json bpftrap exit --js
refuse exit bpftrap exec ex
user=$(id -un)
expect "$user" bpftrap exec --user "${user%?}"
expect always bpftrap exec --color a
refuse auto bpftrap exec --color al
touch "$scratch/file1"
expect "$scratch/file1" bpftrap exec --output "$scratch/fil"
expect "$sleeper" bpftrap exec --pid "$sleeper"
expect "$sleeper" bpftrap exit --json -t "$sleeper"
expect "$sleeper" bpftrap hello --pid "$sleeper"
# PROGRAM's own command line.
touch "$scratch/file2" && chmod +x "$scratch/file2"
expect "$scratch/file2" bpftrap exec -- "$scratch/fil"
expect "$scratch/file2" bpftrap exec --json -- ls "$scratch/fil"
refuse --json bpftrap exec -- ls --js

mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
cgroup=$(find "${mount:-/nonexistent}" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | head -n 1)
if [[ -n $cgroup ]]; then
  name=${cgroup#"$mount"}
  expect "$name" bpftrap exec --cgroup "${name%?}"
fi
