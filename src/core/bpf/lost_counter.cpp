// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/lost_counter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// Runs of the program that the kernel left out, as it was running on that CPU already: since 5.12
// (9ed9e9ba2337), and always 0 before 7.0.
std::uint64_t missed_runs_of(int program) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  return program >= 0 && bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.recursion_misses
                                                                            : 0;
}

}  // namespace

LossSources LossSources::of_kernel(int map_fd) {
  int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) {
    throw Error("cannot count the CPUs of this machine (/sys/devices/system/cpu/possible)", -cpus);
  }
  auto counts = [map_fd](bpftrap_lost* per_cpu) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(map_fd, &zero, per_cpu) == 0;
  };
  return {static_cast<std::size_t>(cpus), counts, missed_runs_of};
}

LostCounter::LostCounter(LossSources sources, std::vector<CountedProgram> programs)
    : sources_(std::move(sources)), programs_(std::move(programs)), per_cpu_(sources_.cpus) {}

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
  std::uint64_t missed = sources_.missed_runs(program.first);
  std::uint64_t unseen = missed - std::min<std::uint64_t>(missed, sum_.rescued[program.kind]);
  return program.second >= 0 ? std::min(unseen, sources_.missed_runs(program.second)) : unseen;
}

bool LostCounter::readable() {
  return sources_.counts(per_cpu_.data());
}

}  // namespace bpftrap
