// SPDX-License-Identifier: GPL-2.0-only
// One run of the bench: what is asked for, what is measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/workload.h"

namespace bench {

struct Options {
  int rounds = 5;
  std::uint64_t processes = 4000;  // of a storm on one CPU
  std::uint64_t loss_processes = 100'000;
  std::uint64_t alive = 20'000;  // the most that wait while costs are measured
  bool peers = true;
  bool runtime = false;           // what takes ten minutes
  std::vector<std::string> only;  // keys; empty: all but `runtime`
};

struct Bench {
  Options options;
  Arena arena;
  Report report;
  std::uint64_t lost = 0;  // by bpftrap, in everything that was run

  bool wants(const std::string& key) const;
  void say(const std::string& what) const;  // on standard error, for whoever waits
};

// Each measures the figures whose keys are wanted, and adds them to the report. They throw Failure
// or std::exception where something does not work at all.
void compare(Bench& bench);         // compare.cpp: pinned storm argv true make
void measure_times(Bench& bench);   // times.cpp: startup stop latency
void measure_costs(Bench& bench);   // costs.cpp: bpf record-cpu rejected rss size
void measure_growth(Bench& bench);  // growth.cpp: alive runtime
void measure_losses(Bench& bench);  // losses.cpp: lost

// How many records bpftrap's JSON in `output` says were lost; 0 for a table's text.
std::uint64_t lost_by(const std::string& output);

}  // namespace bench
