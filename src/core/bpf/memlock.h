// SPDX-License-Identifier: GPL-2.0-only
// RLIMIT_MEMLOCK: kernels before 5.11 charge BPF maps and programs to it.
#pragma once

namespace bpftrap {

// True if the kernel charges BPF memory to RLIMIT_MEMLOCK. 5.11 replaced that by cgroup accounting
// (bpf: Eliminate rlimit-based memory accounting, 755e5d55367a). Also true if the probe is denied.
bool charges_memlock();

// Raises RLIMIT_MEMLOCK if the kernel charges BPF memory to it. Ignores errors, because loading may
// succeed anyway. If it does not, core/doctor/diagnosis.h reports the limit.
void raise_memlock_limit();

}  // namespace bpftrap
