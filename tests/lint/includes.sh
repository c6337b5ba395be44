#!/usr/bin/env bash
# Check the direction of #include: `core` never includes `cli`, a directory of `core` includes only
# itself and those before it, and no headers form a circle. Prints each violation; status 1 if any.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"

# Lowest first: each may include those before it. docs/architecture.md shows the same order.
core_directories=(os text bpf record process output recording analysis timeline export trace doctor)
# Headers of src/bpf/ that user space shares with the kernel side.
shared_header='^bpf/[a-z_]+(\.event)?\.h$'

declare -A level
for i in "${!core_directories[@]}"; do
  level[${core_directories[i]}]=$i
done
status=0
complain() {
  echo "$1" >&2
  status=1
}

# Prints `FILE INCLUDED` for each #include "…" in src/, both relative to src/.
list_includes() {
  local file name
  while IFS=: read -r file name; do
    name=${name#*\"}
    name=${name%%\"*}
    # The kernel side includes neighbours by their bare name.
    [[ $name == */* || ! -e src/bpf/$name ]] || name=bpf/$name
    echo "${file#src/} $name"
  done < <(grep -rHE '^[[:space:]]*#[[:space:]]*include "' src)
}

includes=$(list_includes)
while read -r file included; do
  case $file in
    bpf/*)
      [[ $included == bpf/* ]] || complain "src/$file: src/bpf/ may not include \"$included\""
      ;;
    core/*)
      [[ $included == core/* || $included =~ $shared_header || $included != */* ]] ||
        complain "src/$file: src/core/ may not include \"$included\""
      ;;
  esac
  [[ $file == core/* && $included == core/* ]] || continue
  from=$(cut -d/ -f2 <<<"$file")
  to=$(cut -d/ -f2 <<<"$included")
  if [[ -z ${level[$from]:-} || -z ${level[$to]:-} ]]; then
    complain "src/$file: core/$from or core/$to is not in the list of tests/lint/includes.sh"
  elif ((level[$to] > level[$from])); then
    complain "src/$file: core/$from may not include \"$included\""
  fi
done <<<"$includes"

if ! circles=$(tsort <<<"$includes" 2>&1 >/dev/null); then
  complain "headers that include each other in a circle:"
  complain "$circles"
fi
exit $status
