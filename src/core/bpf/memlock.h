// SPDX-License-Identifier: GPL-2.0-only
// RLIMIT_MEMLOCK, which BPF maps and programs were charged to before 5.11.
#pragma once

namespace bpftrap {

// Whether the kernel charges BPF memory to the limit: not since 5.11 (bpf: Eliminate rlimit-based
// memory accounting, 755e5d55367a), when it came to be charged to cgroups. Being refused the
// question counts as yes.
bool charges_memlock();

// Raises the limit where the kernel charges BPF memory to it. Where that fails, loading may succeed
// all the same; core/doctor/diagnosis.h tells of the limit if it does not.
void raise_memlock_limit();

}  // namespace bpftrap
