// SPDX-License-Identifier: GPL-2.0-only
// Counts events that no record reports. The per-CPU array `lost` counts those that found no space
// in the ring buffer. Recursion misses count those that no program saw.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bpf/record.h"
#include "core/bpf/recursion_misses.h"

namespace bpftrap {

// Source of a LostCounter's counts. Tests pass their own.
struct LossSources {
  std::size_t cpus;
  // Fills in the counts of all `cpus` CPUs. Returns false if the kernel does not answer.
  std::function<bool(bpftrap_lost* per_cpu)> counts;

  // Reads the map `map_fd`, which remains the caller's. Throws Error if the number of CPUs is
  // unknown.
  static LossSources of_kernel(int map_fd);
};

class LostCounter {
 public:
  explicit LostCounter(LossSources sources, RecursionMisses misses = {});

  // Returns the sum over all CPUs since the load, including events that no copy of a program saw.
  // If the kernel does not answer, returns the result of the last read.
  const bpftrap_lost& read();

  // Returns a part of read(): events that no copy of this kind's program saw.
  std::uint64_t unseen(std::size_t kind);

  // True if the kernel answers.
  bool readable();

 private:
  LossSources sources_;
  RecursionMisses misses_;
  std::vector<bpftrap_lost> per_cpu_;
  bpftrap_lost sum_{};
};

}  // namespace bpftrap
