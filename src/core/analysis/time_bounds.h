// SPDX-License-Identifier: GPL-2.0-only
// Times of a run are between 0 and time_most, so that sums of several do not overflow, whatever a
// damaged recording says. Sums of many saturate.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/analysis/run.h"

namespace bpftrap {

inline std::chrono::nanoseconds bounded(std::chrono::nanoseconds time) {
  return std::clamp(time, std::chrono::nanoseconds::zero(), time_most);
}

// 64 bits of nanoseconds hold only 292 years. A thousand daemons of 100 days each have 274.
inline std::chrono::nanoseconds saturating_sum(std::chrono::nanoseconds a,
                                               std::chrono::nanoseconds b) {
  std::chrono::nanoseconds::rep sum = 0;
  return __builtin_add_overflow(a.count(), b.count(), &sum) ? std::chrono::nanoseconds::max()
                                                            : std::chrono::nanoseconds(sum);
}

inline BootTime bounded(BootTime time) {
  return BootTime(bounded(time.time_since_epoch()));
}

inline CpuTimes bounded(const CpuTimes& cpu) {
  return {bounded(cpu.user), bounded(cpu.system)};
}

inline std::optional<std::chrono::nanoseconds> bounded(
    const std::optional<std::chrono::nanoseconds>& time) {
  return time ? std::optional(bounded(*time)) : std::nullopt;
}

inline ThreadAccount bounded(ThreadAccount account) {
  account.cpu = bounded(account.cpu);
  account.cpu_wait = bounded(account.cpu_wait);
  return account;
}

}  // namespace bpftrap
