// SPDX-License-Identifier: GPL-2.0-only
// Chains of processes, with what each one ran at a moment.
#pragma once

#include "core/analysis/died/explain.h"

namespace bpftrap {

// Returns the process of the run. None if the run does not know it.
Index find_process(const RecordedRun& run, const ProcessId& id);

// The process as it was at that time.
Relative relative_at(RecordedRun& run, Index process, BootTime time);

// The process and its ancestors.
Lineage lineage_at(RecordedRun& run, Index process, BootTime time);

// The parent: that of the fork, else that of the end.
Index parent_of(const RecordedRun& run, Index process);

bool descends_from(const RecordedRun& run, Index process, Index ancestor);

}  // namespace bpftrap
