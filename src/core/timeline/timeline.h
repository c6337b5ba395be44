// SPDX-License-Identifier: GPL-2.0-only
// The timeline of a recording as an HTML page: one file without network, for any browser.
// docs/timeline.md describes the page and its data.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/run.h"

namespace bpftrap {

// A part of the chain of processes that determined how long the run took.
struct TimelineSegment {
  Index process = no_index;
  BootTime begin;
  std::chrono::nanoseconds duration{};
};

// Writes the page in pieces. Returns the number of processes in it. Processes that are older than
// the recording are left out, unless they or a descendant did something. Throws Error if memory is
// exhausted.
std::size_t write_timeline(const RecordedRun& run, const std::vector<TimelineSegment>& chain,
                           const std::function<void(std::string_view)>& write);

// The same with the chain of the run, if it had a PROGRAM. Returns what the page contains, such as
// `27 processes`.
std::string export_timeline(const RecordedRun& run,
                            const std::function<void(std::string_view)>& write);

}  // namespace bpftrap
