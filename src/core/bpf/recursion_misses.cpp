// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/recursion_misses.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <utility>

#include "core/os/kernel_version.h"

namespace bpftrap {

bool kernel_misses_events() {
  return kernel_is_at_least(7, 0);
}

void load_second_copies(std::span<const ProgramPair> pairs, bool twice) {
  for (const ProgramPair& pair : pairs) {
    bpf_program__set_autoload(pair.second, twice && bpf_program__autoload(pair.first));
  }
}

std::vector<CountedProgram> counted_programs(std::span<const ProgramPair> pairs) {
  std::vector<CountedProgram> programs;
  for (const ProgramPair& pair : pairs) {
    programs.push_back({pair.kind, bpf_program__fd(pair.first), bpf_program__fd(pair.second)});
  }
  return programs;
}

std::uint64_t recursion_misses_of(int program) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  return program >= 0 && bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.recursion_misses
                                                                            : 0;
}

RecursionMisses::RecursionMisses(std::vector<CountedProgram> programs, MissesOf misses_of)
    : programs_(std::move(programs)), misses_of_(std::move(misses_of)) {}

std::uint64_t RecursionMisses::unseen(std::size_t kind, const bpftrap_lost& counts) const {
  auto program = std::find_if(programs_.begin(), programs_.end(),
                              [kind](const CountedProgram& one) { return one.kind == kind; });
  return program == programs_.end() ? 0 : unseen_by(*program, counts);
}

void RecursionMisses::add_to(bpftrap_lost& counts) const {
  for (const CountedProgram& program : programs_) {
    counts.records[program.kind] += unseen_by(program, counts);
  }
}

std::uint64_t RecursionMisses::unseen_by(const CountedProgram& program,
                                         const bpftrap_lost& counts) const {
  std::uint64_t missed = misses_of_(program.first);
  // The two counts are read at different times, so avoid a negative difference.
  std::uint64_t unseen = missed - std::min<std::uint64_t>(missed, counts.rescued[program.kind]);
  return program.second >= 0 ? std::min(unseen, misses_of_(program.second)) : unseen;
}

}  // namespace bpftrap
