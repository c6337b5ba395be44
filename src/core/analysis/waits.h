// SPDX-License-Identifier: GPL-2.0-only
// Decides for which of its children a process waited, from the accounts of its threads at the
// births and ends of the children.
#pragma once

#include <chrono>
#include <vector>

#include "core/analysis/run.h"

namespace bpftrap {

// A moment at which the account of a thread of a process is known: the birth or the end of a child,
// or the process's own. An account of a running thread is up to a tick old.
struct Sighting {
  BootTime time;
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds cpu_wait{};
  Pid tid = 0;
  Index ended = no_index;    // the child that ended then
  bool all_threads = false;  // at the end of a process that had several: their sum
};

// In order of time.
std::vector<Sighting> sightings(const RecordedRun& run, Index process);

// CPU time that a process may need to handle the end of a child.
inline constexpr std::chrono::milliseconds handling_most{10};

// Children of the process for whose ends it waited, the last end first, then the last start. If
// neither has ended, the parent still waits. Otherwise a child counts if its parent
// slept when it ended. It counts as well if the parent was awake only for a moment, because the end
// of a child, or the end of its output, had just woken it.
std::vector<Index> awaited_children(const RecordedRun& run, Index process);

}  // namespace bpftrap
