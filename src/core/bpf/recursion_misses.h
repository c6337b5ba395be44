// SPDX-License-Identifier: GPL-2.0-only
// Recursion misses: events for which the kernel does not run a program, because that program is
// already running on the CPU. src/bpf/recursion.bpf.h explains why some programs are loaded twice.
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "bpf/record.h"

namespace bpftrap {

// True since 7.0, where a program can be preempted. The kernel's preemption model matters, too, but
// cannot be queried. Misses are counted on every kernel, because distributions backport.
bool kernel_misses_events();

// A program and its second copy. Each run may write a record of `kind`, an index into bpftrap_lost.
struct ProgramPair {
  std::size_t kind;
  bpf_program* first;
  bpf_program* second;
};

// If `twice`, enables the second copy of each program that will be loaded; else disables all.
void load_second_copies(std::span<const ProgramPair> pairs, bool twice);

// A loaded pair. The descriptors remain the caller's and are -1 if not loaded.
struct CountedProgram {
  std::size_t kind = 0;
  int first = -1;
  int second = -1;
};

std::vector<CountedProgram> counted_programs(std::span<const ProgramPair> pairs);

// Returns the recursion misses of a program. The kernel counts them since 5.12 (9ed9e9ba2337).
// Before 7.0 the result is 0, unless a distribution has backported preemptible tracepoints.
std::uint64_t recursion_misses_of(int program);

// Events that no copy of a program saw.
class RecursionMisses {
 public:
  // Returns the recursion misses of a program. Tests pass their own.
  using MissesOf = std::function<std::uint64_t(int program)>;

  RecursionMisses() = default;
  explicit RecursionMisses(std::vector<CountedProgram> programs,
                           MissesOf misses_of = recursion_misses_of);

  // Returns the maximum number of missed records. `counts` has the events that only the second copy
  // saw. The result is a maximum because a program may also run for events without a record, such
  // as the ends of threads.
  std::uint64_t unseen(std::size_t kind, const bpftrap_lost& counts) const;

  // Adds the events that no copy saw to the lost records of their kind.
  void add_to(bpftrap_lost& counts) const;

 private:
  std::uint64_t unseen_by(const CountedProgram& program, const bpftrap_lost& counts) const;

  std::vector<CountedProgram> programs_;
  MissesOf misses_of_;
};

}  // namespace bpftrap
