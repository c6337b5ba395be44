// SPDX-License-Identifier: GPL-2.0-only
// CPU time as wait4() would report it, from the raw counters that the exit program copies out of
// the kernel. Used by decode, between the wire struct and the Event.
#pragma once

#include <chrono>

namespace bpftrap {

struct CpuTimes {
  std::chrono::nanoseconds user;
  std::chrono::nanoseconds system;

  friend bool operator==(const CpuTimes&, const CpuTimes&) = default;
};

// The kernel charges utime and stime by sampling at each timer tick, but counts the time on a CPU
// to the nanosecond; getrusage() and wait4() report the exact sum, split in the sampled ratio.
// This is cputime_adjust() of kernel/sched/cputime.c (in this form since v5.9; v4.3 to v5.8 divide
// less exactly), which is not within reach of a BPF program.
//
// `sampled`: utime and stime, of the whole thread group (thread_group_cputime());
// `runtime`: sum_exec_runtime of the same;
// `previous`: signal->prev_cputime, what was last reported: neither part ever goes back behind it.
//
// Kernels with CONFIG_VIRT_CPU_ACCOUNTING_NATIVE (s390x, some ppc64) measure utime and stime
// exactly and adjust nothing: there `sampled` is the answer already.
CpuTimes adjust_cpu_times(CpuTimes sampled, std::chrono::nanoseconds runtime, CpuTimes previous);

}  // namespace bpftrap
