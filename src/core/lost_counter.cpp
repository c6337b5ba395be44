// SPDX-License-Identifier: GPL-2.0-only
#include "core/lost_counter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"

namespace bpftrap {

namespace {

// Runs of the program that the kernel left out, as it was running on that CPU already: since 5.12
// (9ed9e9ba2337), and always 0 before 7.0.
std::uint64_t missed_runs(int program) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  return program >= 0 && bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.recursion_misses
                                                                            : 0;
}

}  // namespace

LostCounter::LostCounter(int map_fd, std::vector<CountedProgram> programs)
    : map_fd_(map_fd), programs_(std::move(programs)) {
  int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) {
    throw Error("cannot count the CPUs of this machine (/sys/devices/system/cpu/possible)", -cpus);
  }
  per_cpu_.resize(static_cast<std::size_t>(cpus));
}

const bpftrap_lost& LostCounter::read() {
  if (readable()) {
    sum_ = {};
    for (const bpftrap_lost& one : per_cpu_) {
      for (std::size_t kind = 0; kind < std::size(sum_.records); ++kind) {
        sum_.records[kind] += one.records[kind];
        sum_.rescued[kind] += one.rescued[kind];
      }
    }
    for (const CountedProgram& program : programs_) {
      sum_.records[program.kind] += unseen_by(program);
    }
  }
  return sum_;
}

std::uint64_t LostCounter::unseen(std::size_t kind) {
  read();
  auto program = std::find_if(programs_.begin(), programs_.end(),
                              [kind](const CountedProgram& one) { return one.kind == kind; });
  return program == programs_.end() ? 0 : unseen_by(*program);
}

std::uint64_t LostCounter::unseen_by(const CountedProgram& program) const {
  std::uint64_t missed = missed_runs(program.first);
  std::uint64_t unseen = missed - std::min<std::uint64_t>(missed, sum_.rescued[program.kind]);
  return program.second >= 0 ? std::min(unseen, missed_runs(program.second)) : unseen;
}

bool LostCounter::readable() {
  __u32 zero = 0;
  return bpf_map_lookup_elem(map_fd_, &zero, per_cpu_.data()) == 0;
}

}  // namespace bpftrap
