// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/direct_reads.h"

#include <linux/bpf.h>
#include <linux/btf.h>

#include <cstdint>

#include "bpf/direct_reads.h"

namespace bpftrap {

WantedType& read_function() {
  static WantedType function{"bpf_rdonly_cast", BTF_KIND_FUNC};
  return function;
}

void complete_direct_reads(const bpf_program* program) {
  // libbpf's own copy of the instructions, which it passes to the kernel next.
  auto* instructions = const_cast<bpf_insn*>(bpf_program__insns(program));
  for (std::size_t i = 0; i < bpf_program__insn_cnt(program); ++i) {
    bpf_insn& instruction = instructions[i];
    if (instruction.code == (BPF_JMP | BPF_CALL) && instruction.src_reg == 0 &&
        instruction.imm == BPFTRAP_RDONLY_CAST) {
      instruction.src_reg = BPF_PSEUDO_KFUNC_CALL;
      instruction.imm = static_cast<std::int32_t>(read_function().id);
    }
  }
}

}  // namespace bpftrap
