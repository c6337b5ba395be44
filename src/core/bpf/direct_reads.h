// SPDX-License-Identifier: GPL-2.0-only
// Plain loads from kernel memory (src/bpf/read.bpf.h). They need a function of the kernel, and
// libbpf would read all of the kernel's BTF to find its number.
#pragma once

#include <bpf/libbpf.h>

#include "core/bpf/btf_subset.h"

namespace bpftrap {

// The kernel's bpf_rdonly_cast(). Its id must be known when a program that reads directly is
// loaded.
WantedType& read_function();

// Puts the number of read_function() into the program's calls of it, just before the load.
void complete_direct_reads(const bpf_program* program);

}  // namespace bpftrap
