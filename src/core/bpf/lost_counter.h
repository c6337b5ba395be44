// SPDX-License-Identifier: GPL-2.0-only
// Events that no record reports: those that found no room in the ring buffer, from the per-CPU
// array `lost`, and those that no program saw.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bpf/record.h"
#include "core/bpf/recursion_misses.h"

namespace bpftrap {

// Source of a LostCounter's counts; tests put in their own.
struct LossSources {
  std::size_t cpus;
  // Fills in the counts of each CPU, `cpus` of them. Returns false if the kernel does not answer.
  std::function<bool(bpftrap_lost* per_cpu)> counts;

  // `map_fd` stays the caller's. Throws Error.
  static LossSources of_kernel(int map_fd);
};

class LostCounter {
 public:
  explicit LostCounter(LossSources sources, RecursionMisses misses = {});

  // Sum over all CPUs since the load, events that no copy of a program saw included. If the kernel
  // does not answer, the result is that of the last read.
  const bpftrap_lost& read();

  // Part of read(): events that no copy of this kind's program saw.
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
