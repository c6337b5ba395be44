// SPDX-License-Identifier: GPL-2.0-only
#include "core/lost_counter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/error.h"

namespace bpftrap {

LostCounter::LostCounter(int map_fd) : map_fd_(map_fd) {
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
      }
    }
  }
  return sum_;
}

bool LostCounter::readable() {
  __u32 zero = 0;
  return bpf_map_lookup_elem(map_fd_, &zero, per_cpu_.data()) == 0;
}

}  // namespace bpftrap
