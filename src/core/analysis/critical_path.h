// SPDX-License-Identifier: GPL-2.0-only
// The chain of processes that determined how long a process took. docs/why.md describes the method.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/analysis/run.h"

namespace bpftrap {

// A time in which one process determined the progress.
struct Segment {
  Index process = no_index;
  // A run of a million processes has millions of segments.
  std::uint32_t sleeps : 30 = 0;  // voluntary switches, if the accounts tell
  bool estimated : 1 = false;     // the parts, because an account was not exact
  bool unknown : 1 = false;       // no account tells the parts: all counts as blocked()
  BootTime begin;
  BootTime end;
  // These and blocked() add up to the duration.
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds cpu_wait{};  // runnable without a CPU
  const RunExec* program = nullptr;     // that it ran; null: that of an ancestor, or unknown

  std::chrono::nanoseconds duration() const { return end - begin; }
  std::chrono::nanoseconds blocked() const { return duration() - cpu - cpu_wait; }
};

struct CriticalPath {
  Index root = no_index;
  BootTime begin;  // of the root, or of the recording if that is later
  BootTime end;
  std::vector<Segment> segments;  // in order of time, without gaps and overlaps

  std::chrono::nanoseconds wall() const { return end - begin; }
};

CriticalPath critical_path(const RecordedRun& run, Index root);

}  // namespace bpftrap
