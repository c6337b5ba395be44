// SPDX-License-Identifier: GPL-2.0-only
// Computes CPU time as wait4() reports it, from the raw counters that the exit program copies out
// of the kernel. decode() uses it.
#pragma once

#include <chrono>
#include <optional>

namespace bpftrap {

struct CpuTimes {
  std::chrono::nanoseconds user;
  std::chrono::nanoseconds system;

  friend bool operator==(const CpuTimes&, const CpuTimes&) = default;
};

// The kernel charges utime and stime by sampling at each timer tick, but counts time on a CPU in
// nanoseconds. getrusage() and wait4() report the exact sum, split in the sampled ratio. This is
// cputime_adjust() of kernel/sched/cputime.c, which a BPF program cannot call. It has this form
// since v5.9; v4.3 to v5.8 divide less exactly.
//
// `sampled`: utime and stime of the whole thread group (thread_group_cputime()).
// `runtime`: sum_exec_runtime of the thread group.
// `previous`: signal->prev_cputime, the last reported times. Neither part may decrease.
//
// Kernels with CONFIG_VIRT_CPU_ACCOUNTING_NATIVE (s390x, some ppc64) measure utime and stime
// exactly. There `sampled` is the result, and this function is not needed.
CpuTimes adjust_cpu_times(CpuTimes sampled, std::chrono::nanoseconds runtime, CpuTimes previous);

// The accounts of a process that ends.
struct EndingAccount {
  std::chrono::nanoseconds runtime;      // sum_exec_runtime, up to the last update
  std::chrono::nanoseconds unaccounted;  // since that update; a lower bound unless `clock_known`
  std::chrono::nanoseconds ending;       // estimate for the time after the record; 0 if unknown
  std::chrono::nanoseconds duration;     // from fork to end
  std::optional<std::chrono::nanoseconds> waited;  // for a CPU
  bool had_threads = false;
  bool slept = false;
  bool clock_known = false;
};

// Returns the CPU time of the whole thread group. The life of a process with one thread is CPU
// time, waiting for a CPU, sleep, and the moments before it was first runnable. So life without
// waiting is a bound, and the best value if the process never slept and the clock is not known.
std::chrono::nanoseconds total_cpu_time(const EndingAccount& account);

}  // namespace bpftrap
