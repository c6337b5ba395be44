// SPDX-License-Identifier: GPL-2.0-only
// What one tool costs for each process of a storm on one CPU.
#pragma once

#include "bench/bench.h"
#include "bench/tool.h"

namespace bench {

struct Cost {
  double cpu_ns = 0;  // of the tool's own process
  double bpf_ns = 0;  // in its BPF programs; 0 unless BpfStats lives
  double peak_rss_mb = 0;
};

Cost cost_of(const Bench& bench, const ToolSpec& spec);

}  // namespace bench
