// SPDX-License-Identifier: GPL-2.0-only
// What tools are measured on: storms of short processes, and a real build.
#pragma once

#include <string>
#include <vector>

#include "bench/tool.h"
#include "e2e/child.h"
#include "e2e/storm.h"

namespace bench {

struct Workload {
  std::string name;  // of --only, and in tables
  e2e::StormOptions storm;
  bool make = false;  // `make -j2` instead
};

struct Outcome {
  double wall_ns = 0;
  double cpu_ns = 0;  // of all its processes
};

// The files that workloads execute, in a directory of their own.
class Arena {
 public:
  Arena();

  std::string tiny() const { return tiny_; }
  // Executed only to see whether a tool is ready.
  std::string probe() const { return directory_ / "probe"; }
  std::string output() const { return directory_ / "output"; }
  std::string path(const std::string& name) const { return directory_ / name; }

  // All of them; a storm has so many processes.
  std::vector<Workload> workloads(std::uint64_t processes) const;
  // `fewer`: with so many times fewer processes.
  Outcome run(const Workload& workload, std::uint64_t fewer = 1) const;

  std::string make_directory() const { return directory_ / "make"; }

 private:
  void write_sources() const;

  e2e::ScratchDir directory_;
  std::string tiny_;
};

// A workload's process, which waits until it is let go; some tools want to know it before.
class HeldWorkload {
 public:
  HeldWorkload(const Arena& arena, const Workload& workload, std::uint64_t fewer);

  pid_t pid() const { return child_.pid(); }
  Outcome run();  // lets it go and waits for it; throws Failure

 private:
  e2e::SharedWords words_;
  e2e::Gate gate_;
  e2e::Child child_;
};

// 2 KiB of argv in two arguments.
std::vector<std::string> two_kib_of_args();

}  // namespace bench
