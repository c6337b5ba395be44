// SPDX-License-Identifier: GPL-2.0-only
// Times of a run are between 0 and time_most, so that sums of several do not overflow, whatever a
// damaged recording says.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/analysis/run.h"

namespace bpftrap {

inline std::chrono::nanoseconds bounded(std::chrono::nanoseconds time) {
  return std::clamp(time, std::chrono::nanoseconds::zero(), time_most);
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
