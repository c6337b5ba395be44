// SPDX-License-Identifier: GPL-2.0-only
// Workloads for measuring tools: storms of short processes, and a real build.
#pragma once

#include <string>
#include <vector>

#include "bench/tool.h"
#include "e2e/child.h"
#include "e2e/storm.h"

namespace bench {

struct Workload {
  std::string name;  // for --only and in tables
  e2e::StormOptions storm;
  bool make = false;  // run `make -j2` instead of a storm
};

struct Outcome {
  double wall_ns = 0;
  double cpu_ns = 0;  // sum over its processes
};

// A directory with the files that workloads execute.
class Arena {
 public:
  Arena();

  std::string tiny() const { return tiny_; }
  // A program that is executed only to test whether a tool is ready.
  std::string probe() const { return directory_ / "probe"; }
  std::string output() const { return directory_ / "output"; }
  std::string path(const std::string& name) const { return directory_ / name; }

  // All workloads. `processes` is the size of a storm.
  std::vector<Workload> workloads(std::uint64_t processes) const;
  // Divides the number of processes by `fewer`.
  Outcome run(const Workload& workload, std::uint64_t fewer = 1) const;

  std::string make_directory() const { return directory_ / "make"; }

 private:
  void write_sources() const;

  e2e::ScratchDir directory_;
  std::string tiny_;
};

// The process of a workload. It waits for run(), because some tools need its pid before.
class HeldWorkload {
 public:
  HeldWorkload(const Arena& arena, const Workload& workload, std::uint64_t fewer);

  pid_t pid() const { return child_.pid(); }
  Outcome run();  // releases it and waits for its end; throws Failure

 private:
  e2e::SharedWords words_;
  e2e::Gate gate_;
  e2e::Child child_;
};

// 2 KiB of argv in two arguments.
std::vector<std::string> two_kib_of_args();

}  // namespace bench
