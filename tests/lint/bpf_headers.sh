#!/usr/bin/env bash
# Check that each header of src/bpf/ compiles alone, because it must include what it uses. Check that the
# compilers reject a wire struct that breaks the rules of record.h. Prints each failure; status 1 if any.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"

case $(uname -m) in
  x86_64) architecture=x86 ;;
  aarch64) architecture=arm64 ;;
  *) echo "no BPF programs for $(uname -m)" >&2 && exit 77 ;;
esac
flags=(-target bpf -mcpu=v3 "-D__TARGET_ARCH_$architecture" -O2 -Wall -Wextra -Werror
  -Wno-unused-parameter -Wno-unused-function -idirafter "/usr/include/$(uname -m)-linux-gnu" -fsyntax-only)
[[ ! -d build/libbpf/include ]] || flags+=(-isystem build/libbpf/include)
status=0

# Both read the source from standard input.
as_bpf() { clang "${flags[@]}" -x c -I src/bpf -; }
# shellcheck disable=SC2317 # called by expect_rejected
as_cxx() { c++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -x c++ -I src/bpf -; }

for header in src/bpf/*.h; do
  if ! as_bpf <<<"#include \"${header##*/}\""; then
    echo "$header does not compile alone" >&2
    status=1
  fi
done

# expect_rejected WHY MEMBERS BYTES COMPILER...
expect_rejected() {
  local why=$1 members=$2 bytes=$3 compiler
  shift 3
  for compiler in "$@"; do
    if "$compiler" 2>/dev/null; then
      echo "BPFTRAP_WIRE_STRUCT accepts a struct $why ($compiler)" >&2
      status=1
    fi <<<"#include \"record.h\"
struct sample { $members };
BPFTRAP_WIRE_STRUCT(sample, $bytes);"
  done
}
expect_rejected "of 12 bytes" "__u32 a; __u32 b; __u32 c;" 12 as_bpf as_cxx
expect_rejected "of another size" "__u64 a; __u64 b;" 8 as_bpf as_cxx
expect_rejected "with hidden padding" "__u32 a; __u64 b;" 16 as_cxx

# read_wire() accepts a checked struct and no other.
reads() { c++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -x c++ -I src -; }
sample='#include "core/record/decode.h"
struct sample { __u64 a; };'
read='
bool read(std::span<const std::byte> bytes, sample& out) { return bpftrap::read_wire(bytes, out); }'
if reads <<<"$sample$read" 2>/dev/null; then
  echo "read_wire() accepts a struct without BPFTRAP_WIRE_STRUCT" >&2
  status=1
fi
if ! reads <<<"$sample BPFTRAP_WIRE_STRUCT(sample, 8);$read"; then
  echo "read_wire() rejects a struct with BPFTRAP_WIRE_STRUCT" >&2
  status=1
fi
exit $status
