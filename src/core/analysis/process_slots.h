// SPDX-License-Identifier: GPL-2.0-only
// Finds the processes of a run by their ids: a hash table of indices, 8 to 16 bytes per process.
#pragma once

#include <sys/random.h>

#include <algorithm>
#include <array>
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
    // Most records are about a process that another record was about lately.
    Index& recent = recent_[id.pid % recent_.size()];
    if (recent >= processes.size() || !is_same(processes[recent].id, id)) {
      Index& slot = slots_[slot_of(processes, id)];
      if (slot == no_index) {
        slot = static_cast<Index>(processes.size());
        processes.grow().id = id;
      }
      recent = slot;
    }
    RunProcess& known = processes[recent];
    known.id.start_ns = std::max(known.id.start_ns, id.start_ns);
    return recent;
  }

 private:
  static constexpr std::size_t first_slots = 1024;

  static std::uint64_t random_number() {
    std::uint64_t number = 0;
    // Without randomness, early at boot, a hostile recording may take long.
    return ::getrandom(&number, sizeof number, GRND_NONBLOCK) < 0 ? 1 : number;
  }
  static std::uint64_t mix(std::uint64_t value) {
    value = (value ^ value >> 32U) * 0x9e3779b97f4a7c15U;
    return value ^ value >> 29U;
  }

  // No pid is used again within a tick.
  static std::uint64_t tick_of(const ProcessId& id) { return id.start_ns / BPFTRAP_TICK_NS; }
  static bool is_same(const ProcessId& a, const ProcessId& b) {
    return a.pid == b.pid && tick_of(a) == tick_of(b);
  }
  std::size_t hash_of(const ProcessId& id) const {
    return static_cast<std::size_t>(mix(mix(tick_of(id) ^ salt_) + (id.pid ^ salt_ >> 32U)));
  }

  // The slot of the process, or the free one where it belongs.
  std::size_t slot_of(const Chunks<RunProcess>& processes, const ProcessId& id) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash_of(id) & mask;
    while (slots_[slot] != no_index) {
      if (is_same(processes[slots_[slot]].id, id)) {
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

  // A recording chooses its ids, so it must not know which of them collide.
  std::uint64_t salt_ = random_number();
  std::vector<Index> slots_;
  std::array<Index, 1024> recent_ = {};  // by pid; each is compared before it is used
};

}  // namespace bpftrap
