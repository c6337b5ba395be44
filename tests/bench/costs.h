// SPDX-License-Identifier: GPL-2.0-only
// The cost of one tool per process of a storm on one CPU.
#pragma once

#include "bench/bench.h"
#include "bench/tool.h"

namespace bench {

struct Cost {
  double cpu_ns = 0;  // CPU time of the tool's own process
  double bpf_ns = 0;  // time in its BPF programs; 0 unless a BpfStats exists
  double peak_rss_mb = 0;
};

Cost cost_of(const Bench& bench, const ToolSpec& spec);

}  // namespace bench
