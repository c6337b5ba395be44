// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/lost_counter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <iterator>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

LossSources LossSources::of_kernel(int map_fd) {
  int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) {
    throw Error("cannot read the number of CPUs from /sys/devices/system/cpu/possible", -cpus);
  }
  auto counts = [map_fd](bpftrap_lost* per_cpu) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(map_fd, &zero, per_cpu) == 0;
  };
  return {static_cast<std::size_t>(cpus), counts};
}

LostCounter::LostCounter(LossSources sources, RecursionMisses misses)
    : sources_(std::move(sources)), misses_(std::move(misses)), per_cpu_(sources_.cpus) {}

const bpftrap_lost& LostCounter::read() {
  if (readable()) {
    sum_ = {};
    for (const bpftrap_lost& one : per_cpu_) {
      for (std::size_t kind = 0; kind < std::size(sum_.records); ++kind) {
        sum_.records[kind] += one.records[kind];
        sum_.rescued[kind] += one.rescued[kind];
      }
    }
    misses_.add_to(sum_);
  }
  return sum_;
}

std::uint64_t LostCounter::unseen(std::size_t kind) {
  return misses_.unseen(kind, read());
}

bool LostCounter::readable() {
  return sources_.counts(per_cpu_.data());
}

}  // namespace bpftrap
