// SPDX-License-Identifier: GPL-2.0-only
// What the BPF programs could not deliver: the per-CPU array `lost`, added up, and the events that
// the kernel left a program out for.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bpf/record.h"

namespace bpftrap {

// A program whose every run may make a record; descriptors stay the caller's. See claim() of
// src/bpf/process.bpf.h.
struct CountedProgram {
  std::size_t kind = 0;  // index into bpftrap_lost
  int first = -1;
  int second = -1;  // its second copy, -1 where it has none
};

// Where a LostCounter reads; tests put their own in.
struct LossSources {
  std::size_t cpus;
  // Fills in what each CPU counts, `cpus` of them; false where the kernel does not answer.
  std::function<bool(bpftrap_lost* per_cpu)> counts;
  // Events that the kernel left the program out for; 0 where there is none.
  std::function<std::uint64_t(int program)> missed_runs;

  // `map_fd` stays the caller's. Throws Error.
  static LossSources of_kernel(int map_fd);
};

class LostCounter {
 public:
  explicit LostCounter(LossSources sources, std::vector<CountedProgram> programs = {});

  // Of all CPUs since the load; what was read last where the kernel does not answer. Events that
  // neither copy of a program saw count as records of its kind; where the program runs for other
  // events as well, for the ends of threads, this is the largest number that is possible.
  const bpftrap_lost& read();

  // Of read(): events that neither copy of this kind's program saw.
  std::uint64_t unseen(std::size_t kind);

  // Whether the kernel answers.
  bool readable();

 private:
  std::uint64_t unseen_by(const CountedProgram& program) const;

  LossSources sources_;
  std::vector<CountedProgram> programs_;
  std::vector<bpftrap_lost> per_cpu_;
  bpftrap_lost sum_{};
};

}  // namespace bpftrap
