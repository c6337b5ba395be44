// SPDX-License-Identifier: GPL-2.0-only
// What the BPF programs could not deliver: the per-CPU array `lost`, added up.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/record.h"

namespace bpftrap {

class LostCounter {
 public:
  // `map_fd` stays the caller's. Throws Error.
  explicit LostCounter(int map_fd);

  // Of all CPUs since the load; what was read last where the kernel does not answer.
  const bpftrap_lost& read();

  // Whether the kernel answers.
  bool readable();

 private:
  int map_fd_;
  std::vector<bpftrap_lost> per_cpu_;
  bpftrap_lost sum_{};
};

}  // namespace bpftrap
