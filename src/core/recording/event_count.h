// SPDX-License-Identifier: GPL-2.0-only
// Counts the events among the records of a recording: forks, execs, failed execs and ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bpf/record.h"

namespace bpftrap {

struct EventCount {
  bpftrap_lost events{};        // by kind
  bpftrap_lost losses{};        // of `loss` records
  std::uint64_t undecoded = 0;  // likewise
  // The last `tally` record, and the events and losses since.
  std::uint64_t all_events = 0;
  std::uint64_t all_lost = 0;

  void add(std::span<const std::byte> record);
};

// Forks, execs, failed execs and ends.
std::uint64_t events_of(const bpftrap_lost& counters);

}  // namespace bpftrap
