// SPDX-License-Identifier: GPL-2.0-only
// Sentences of `why slow`: what would make the run faster, and what the report cannot know.
#pragma once

#include <string>
#include <vector>

#include "core/analysis/critical_path.h"
#include "core/analysis/parallelism.h"
#include "core/analysis/slow_names.h"
#include "core/analysis/slow_records.h"

namespace bpftrap {

struct SlowFacts {
  const RecordedRun& run;
  const CriticalPath& path;
  const std::vector<Index>& members;  // the root and all its descendants
  const RunTotals& totals;
  const Parallelism& parallelism;
  const SlowNames& names;
};

// The most important first.
std::vector<std::string> slow_advice(const SlowFacts& facts);

}  // namespace bpftrap
