// SPDX-License-Identifier: GPL-2.0-only
// The records of `why slow --json`: one RunTotals, then the segments of the path.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/analysis/critical_path.h"
#include "core/record/field.h"

namespace bpftrap {

// Totals of a process and all its descendants.
struct RunTotals {
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds cpu_wait{};
  std::uint64_t cpus = 0;
  std::uint64_t processes = 0;
  std::uint64_t failed = 0;  // processes with a status other than 0
  std::uint64_t lost = 0;
};
FieldTable fields_of(const RunTotals*);

// `members`: the root of the path and all its descendants.
RunTotals totals_of(const RecordedRun& run, const CriticalPath& path,
                    const std::vector<Index>& members);

struct SegmentRecord {
  ProcessId id;
  std::optional<std::string_view> comm;
  std::optional<Arguments> args;
  std::optional<std::string_view> cwd;
  std::chrono::nanoseconds begin_ns{};  // of CLOCK_BOOTTIME
  std::chrono::nanoseconds duration{};
  // None if no account tells them.
  std::optional<std::chrono::nanoseconds> cpu = {};
  std::optional<std::chrono::nanoseconds> cpu_wait = {};
  std::optional<std::chrono::nanoseconds> blocked = {};
  bool estimated = false;
};
FieldTable fields_of(const SegmentRecord*);

SegmentRecord record_of(const RecordedRun& run, const Segment& segment);
// The name of the process in the segment, none if it is unknown.
std::optional<std::string_view> comm_of(const RecordedRun& run, const Segment& segment);

}  // namespace bpftrap
