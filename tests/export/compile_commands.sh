#!/usr/bin/env bash
# Compares --compile-commands with what CMake itself exports, with Bear, and with what ran.
# shellcheck source=tests/export/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p project/part
cat >project/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(sample C CXX)
add_library(part STATIC part/one.c "part/two words.c")
target_compile_definitions(part PRIVATE "TEXT=\"a 'b' c\"" EMPTY=)
add_executable(sample main.cpp)
target_link_libraries(sample part)
END
echo 'int one(void) { return 1; }' >project/part/one.c
echo 'const char *two(void) { return TEXT; }' >'project/part/two words.c'
echo 'extern "C" int one(void); int main() { return one(); }' >project/main.cpp

# entries FILE: directory, file and output of each entry, as absolute paths. CMake 3.25 names the output
# only in the command.
entries() {
  jq -r '.[] | .directory as $d | def absolute: if startswith("/") then . else $d + "/" + . end;
    [$d, (.file | absolute), (.output // .arguments[(.arguments | index("-o")) + 1] | absolute)] |
    tostring' "$1" | sort
}
# files FILE: the absolute paths of the sources of entries, whose outputs Bear need not know.
files() {
  jq -r '.[] | .directory as $d | .file | if startswith("/") then . else $d + "/" + . end' "$1" |
    while IFS= read -r file; do realpath -m "$file"; done | sort
}
# with_arguments FILE: replaces `command` by `arguments`, as a shell reads it.
with_arguments() {
  local count i
  count=$(jq length "$1")
  for ((i = 0; i < count; i++)); do
    # The command is CMake's, which quotes for a shell.
    eval "words=($(jq -r ".[$i].command" "$1"))"
    # shellcheck disable=SC2154 # assigned by eval
    jq -c --argjson i "$i" '.[$i] | del(.command) + {arguments: $ARGS.positional}' "$1" \
      --args -- "${words[@]}"
  done | jq -s .
}

# with_bear COMMAND...: the sources that Bear sees. It hung once on a busy machine, so it gets a second try.
with_bear() {
  timeout 100 bear --output bear.json -- "$@" >/dev/null 2>&1 ||
    timeout 100 bear --output bear.json -- "$@" >/dev/null
  files bear.json
}

for generator in "Unix Makefiles" Ninja; do
  rm -rf build
  cmake -S project -B build -G "$generator" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
  run record -o recording --compile-commands=found.json -- cmake --build build >/dev/null
  grep -q '^bpftrap: wrote found.json: 3 entries$' messages || complain "$generator: $(cat messages)"
  with_arguments build/compile_commands.json >expected.json
  entries expected.json >expected
  entries found.json >found
  expect_same "$generator: directories, files and outputs" expected found
  # CMake's list has no options for dependencies, and the compiler by its path.
  for list in expected found; do
    jq -c 'sort_by(.file) | .[].arguments | .[1:] |
      map(select(test("^-M|[.]d$|^CMakeFiles.*[.]o$") | not))' $list.json >$list
  done
  expect_same "$generator: arguments" expected found
  run show recording --compile-commands=shown.json
  expect_same "$generator: record and show" found.json shown.json
  [[ $(stat -c %a found.json) == 600 ]] || complain "mode $(stat -c %a found.json)"
  with_bear cmake --build build --clean-first >bear
  files found.json >found
  expect_same "$generator: Bear" bear found
done

# clangd uses the file, and finds no error with it: TEXT is defined by the command only.
mkdir database
cp found.json database/compile_commands.json
clangd --check="$scratch/project/part/two words.c" --compile-commands-dir="$scratch/database" \
  >report 2>&1 || complain "clangd: $(grep -E '^E' report)"
grep -q 'Compile command from CDB' report || complain "clangd does not use the file: $(head -20 report)"

# A recursive make that changes directories.
mkdir -p tree/lib/deep
cat >tree/Makefile <<'END'
all:
	$(MAKE) -C lib
	cd lib/deep && $(CC) -c deep.c -o ../deep.o
	$(CC) top.c lib/lib.o lib/deep.o -o top
	rm -f top lib/*.o
END
# shellcheck disable=SC2016 # of make
printf 'lib.o: lib.c\n\t$(CC) -I. -c $< -o $@\n' >tree/lib/Makefile
echo 'int main(void) { return 0; }' >tree/top.c
echo 'int lib;' >tree/lib/lib.c
echo 'int deep;' >tree/lib/deep/deep.c
run record -o recording --compile-commands=found.json -- make -C tree >/dev/null
with_bear make -B -C tree >bear
files found.json >found
expect_same "recursive make: Bear" bear found
jq -r '.[] | "\(.directory) \(.file) \(.output)"' found.json >found
cat >expected <<END
$scratch/tree/lib lib.c lib.o
$scratch/tree/lib/deep deep.c ../deep.o
$scratch/tree top.c top
END
expect_same "recursive make" expected found

# Wrappers: static ones, which a preloaded library does not see; scripts; ccache. Several sources in one
# command, a response file, and commands that compile nothing.
mkdir wrap
cd wrap
cat >static.c <<'END'
#include <unistd.h>
int main(int argc, char **argv) {
  (void)argc;
  argv[0] = "gcc";
  execvp("gcc", argv);
  return 127;
}
END
gcc -static -o mycc static.c
printf '#!/bin/sh\nexec gcc -DWRAPPED "$@"\n' >cc
# shellcheck disable=SC2016 # of the script
printf '#!/bin/sh\ngcc "$@"\nexit $?\n' >driver
chmod +x cc driver
for name in a b c d e f g; do
  echo "int $name;" >$name.c
done
echo '-DRESPONSE' >words
cat >commands <<'END'
./mycc -c a.c
./cc -c b.c -o out.o
./driver -c c.c
CCACHE_DIR=./cache ccache gcc -c d.c
gcc @words -c e.c f.c
gcc -fsyntax-only g.c
gcc -E a.c
gcc -MM a.c
gcc --version
gcc -shared -o x.so a.o c.o
gcc -save-temps -c -x c words -o words.o -include a.c -D X || true
END
run record -o recording --compile-commands -- sh commands >/dev/null
jq -c '.[] | [.file, .output, .arguments]' compile_commands.json >found
cat >expected <<'END'
["a.c","a.o",["gcc","-c","a.c"]]
["b.c","out.o",["gcc","-DWRAPPED","-c","b.c","-o","out.o"]]
["c.c","c.o",["gcc","-c","c.c"]]
["d.c","d.o",["gcc","-c","d.c"]]
["e.c","e.o",["gcc","@words","-c","e.c"]]
["f.c","f.o",["gcc","@words","-c","f.c"]]
["g.c",null,["gcc","-fsyntax-only","g.c"]]
["words","words.o",["gcc","-save-temps","-c","-x","c","words","-o","words.o","-include","a.c","-D","X"]]
END
expect_same "wrappers" expected found
[[ $(jq -r '.[].directory' compile_commands.json | sort -u) == "$scratch/wrap" ]] || complain "directory"
finish
