// SPDX-License-Identifier: GPL-2.0-only
// RLIMIT_MEMLOCK, which BPF maps and programs were charged to before 5.11.
#pragma once

namespace bpftrap {

// Raises the limit where the kernel charges BPF memory to it. Since 5.11 (bpf: Eliminate
// rlimit-based memory accounting, 755e5d55367a) memory is charged to cgroups instead and nothing is
// done. Returns 0, or the errno with which raising failed: loading may succeed all the same.
int raise_memlock_limit();

}  // namespace bpftrap
