#!/usr/bin/env bash
# Creates a new tracer from the example in docs/adding-a-command.md: three files and a line, which trace
# something at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
page=docs/adding-a-command.md
example=opens # the name on the page

usage() {
  cat <<'END'
usage: vendor/new-command.sh NAME

Creates the command `bpftrap NAME`, which prints every openat() call with its path:
src/bpf/NAME.event.h, src/bpf/NAME.bpf.c, src/cli/cmd_NAME.cpp and a line in src/cli/commands.def.
docs/adding-a-command.md explains them.
END
}

refuse() {
  echo "vendor/new-command.sh: $*" >&2
  exit 2
}

# rename_example: replaces the name of the example in standard input, in its three spellings, by NAME.
rename_example() {
  local camel
  camel=$(sed -E 's/(^|_)([a-z0-9])/\u\2/g' <<<"$name")
  sed -e "s/$example/$name/g" -e "s/${example^}/$camel/g" -e "s/${example^^}/${name^^}/g"
}

# print_block KIND PATH: the fenced block behind `<!-- KIND: PATH -->`.
print_block() {
  awk -v mark="<!-- $1: $2 -->" '
    $0 == mark { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    inside
  ' "$page"
}

check_name() {
  [[ ${#name} -le 32 ]] || refuse "'$name' is too long; expected at most 32 characters"
  [[ $name =~ ^[a-z][a-z0-9_]*$ && $name != *_ && $name != *__* ]] ||
    refuse "'$name' is not a name; expected lower-case letters, digits and single underscores, such as 'open_files'"
  [[ $name != help ]] || refuse "'help' is taken by bpftrap help"
  ! grep -q "^COMMAND($name," src/cli/commands.def || refuse "'$name' is a command already; choose another name"
  local file identifier where
  for file in "src/bpf/$name".* "src/cli/cmd_$name.cpp"; do
    [[ ! -e $file ]] || refuse "'$name' is taken: $file exists; choose another name"
  done
  # Names of C and C++ that the files declare
  while read -r identifier; do
    where=$(grep -rlw --include='*.[ch]' --include='*.cpp' "$identifier" src | head -n 1 || true)
    [[ -z $where ]] || refuse "'$name' is taken: $where has $identifier; choose another name"
  done < <(rename_example <<<"OpensRecord
OpensOptions
OpensHandler
bpftrap_opens_event
BPFTRAP_OPENS_CALL")
}

case ${1:-} in
  --help | -h)
    usage
    exit 0
    ;;
esac
[[ $# -eq 1 ]] || refuse "expected one NAME, such as 'open'; see --help"
name=$1
check_name

for file in src/bpf/$example.event.h src/bpf/$example.bpf.c src/cli/cmd_$example.cpp; do
  to=$(rename_example <<<"$file")
  print_block file "$file" | rename_example >"$to"
  echo "created $to"
done
line=$(print_block line src/cli/commands.def | rename_example)
echo "$line" >>src/cli/commands.def
echo "added a line to src/cli/commands.def"
echo
echo "Build it and run it:"
echo "  ./vendor/build.sh"
echo "  sudo ./build/bpftrap $name"
