// SPDX-License-Identifier: GPL-2.0-only
// `why slow`: explains how long a process and its descendants took.
#pragma once

#include <functional>
#include <string>

#include "core/analysis/run.h"
#include "core/output/sink.h"

namespace bpftrap {

// Returns PROGRAM. Throws Error if no record tells of it.
Index program_of(const RecordedRun& run);

// Returns at most 40 lines of 80 columns. Safe for a terminal.
std::string slow_report(const RecordedRun& run, Index root);

// Writes the totals of the run, then the segments of its path. Calls `written` after each.
void write_slow_records(
    const RecordedRun& run, Index root, Sink& sink, const std::function<void()>& written = [] {});

}  // namespace bpftrap
