// SPDX-License-Identifier: GPL-2.0-only
// One run of the bench: its options and its results.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/workload.h"

namespace bench {

struct Options {
  int rounds = 5;
  std::uint64_t processes = 4000;  // per storm on one CPU
  std::uint64_t loss_processes = 100'000;
  std::uint64_t recorded_processes = 100'000;
  std::uint64_t shown_records = 1'000'000;
  std::uint64_t alive = 20'000;  // maximum of waiting processes while costs are measured
  bool peers = true;
  bool runtime = false;           // also measure `runtime`, which takes ten minutes
  std::vector<std::string> only;  // keys; empty: all except `runtime`
};

struct Bench {
  Options options;
  Arena arena;
  Report report;
  std::uint64_t lost = 0;  // by bpftrap, in all runs

  bool wants(const std::string& key) const;
  void say(const std::string& what) const;  // progress, on standard error
};

// Each function measures the requested figures of its keys and adds them to the report. It throws
// Failure or std::exception if it cannot measure at all.
void compare(Bench& bench);             // compare.cpp: pinned storm argv true make
void measure_times(Bench& bench);       // times.cpp: startup stop latency
void measure_costs(Bench& bench);       // costs.cpp: bpf record-cpu rejected rss size
void measure_growth(Bench& bench);      // growth.cpp: alive runtime
void measure_losses(Bench& bench);      // losses.cpp: lost
void measure_recordings(Bench& bench);  // recordings.cpp: recorder

// The number of lost records according to bpftrap's JSON in `output`; 0 if it is a table.
std::uint64_t lost_by(const std::string& output);

}  // namespace bench
