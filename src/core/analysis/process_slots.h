// SPDX-License-Identifier: GPL-2.0-only
// Finds the processes of a run by their ids: a hash table of indices, 8 to 16 bytes per process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/scope.h"
#include "core/analysis/run.h"

namespace bpftrap {

class ProcessSlots {
 public:
  // Returns no_index if the process is unknown.
  Index find(const Chunks<RunProcess>& processes, const ProcessId& id) const {
    return slots_.empty() ? no_index : slots_[slot_of(processes, id)];
  }

  // Returns the process, which is added if it is new. The start of an older process may be known by
  // its tick only, as /proc shows it; a later exact start replaces it.
  Index find_or_add(Chunks<RunProcess>& processes, const ProcessId& id) {
    if ((processes.size() + 1) * 2 > slots_.size()) {
      grow(processes);
    }
    std::size_t slot = slot_of(processes, id);
    if (slots_[slot] != no_index) {
      RunProcess& known = processes[slots_[slot]];
      known.id.start_ns = std::max(known.id.start_ns, id.start_ns);
      return slots_[slot];
    }
    slots_[slot] = static_cast<Index>(processes.size());
    processes.grow().id = id;
    return slots_[slot];
  }

 private:
  static constexpr std::size_t first_slots = 1024;

  // No pid is used again within a tick.
  static std::uint64_t tick_of(const ProcessId& id) { return id.start_ns / BPFTRAP_TICK_NS; }
  static std::size_t hash_of(const ProcessId& id) {
    std::uint64_t mixed = (tick_of(id) << 22U ^ id.pid) * 0x9e3779b97f4a7c15U;
    return static_cast<std::size_t>(mixed >> 32U);
  }

  // The slot of the process, or the free one where it belongs.
  std::size_t slot_of(const Chunks<RunProcess>& processes, const ProcessId& id) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash_of(id) & mask;
    while (slots_[slot] != no_index) {
      const ProcessId& known = processes[slots_[slot]].id;
      if (known.pid == id.pid && tick_of(known) == tick_of(id)) {
        break;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  void grow(const Chunks<RunProcess>& processes) {
    slots_.assign(std::max(first_slots, slots_.size() * 2), no_index);
    for (Index i = 0; i < processes.size(); ++i) {
      slots_[slot_of(processes, processes[i].id)] = i;
    }
  }

  std::vector<Index> slots_;
};

}  // namespace bpftrap
