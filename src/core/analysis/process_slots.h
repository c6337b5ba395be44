// SPDX-License-Identifier: GPL-2.0-only
// Finds the processes of a run by their ids: a hash table, 16 to 32 bytes per process.
#pragma once

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "bpf/scope.h"
#include "core/analysis/run.h"

namespace bpftrap {

class ProcessSlots {
 public:
  // Returns no_index if the process is unknown.
  Index find(const Chunks<RunProcess>& processes, const ProcessId& id) const {
    return slots_.empty() ? no_index : slots_[slot_of(processes, id, hash_of(id))].process;
  }

  // Returns the process, which is added if it is new. The start of an older process may be known by
  // its tick only, as /proc shows it; a later exact start replaces it.
  Index find_or_add(Chunks<RunProcess>& processes, const ProcessId& id) {
    if ((processes.size() + 1) * 2 > slots_.size()) {
      grow();
    }
    // Most records are about a process that another record was about lately.
    Index& recent = recent_[id.pid % recent_.size()];
    if (recent >= processes.size() || !is_same(processes[recent].id, id)) {
      std::uint32_t hash = hash_of(id);
      Slot& slot = slots_[slot_of(processes, id, hash)];
      if (slot.process == no_index) {
        slot = {static_cast<Index>(processes.size()), hash};
        processes.grow().id = id;
      }
      recent = slot.process;
    }
    RunProcess& known = processes[recent];
    known.id.start_ns = std::max(known.id.start_ns, id.start_ns);
    return recent;
  }

 private:
  static constexpr std::size_t first_slots = 1024;

  // The hash spares most looks at processes, which are seldom in a cache.
  struct Slot {
    Index process = no_index;
    std::uint32_t hash = 0;
  };

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
  std::uint32_t hash_of(const ProcessId& id) const {
    return static_cast<std::uint32_t>(mix(mix(tick_of(id) ^ salt_) + (id.pid ^ salt_ >> 32U)));
  }

  // The slot of the process, or the free one where it belongs.
  std::size_t slot_of(const Chunks<RunProcess>& processes, const ProcessId& id,
                      std::uint32_t hash) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    for (; slots_[at].process != no_index; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && is_same(processes[slots_[at].process].id, id)) {
        break;
      }
    }
    return at;
  }

  void grow() {
    std::vector<Slot> larger(std::max(first_slots, slots_.size() * 2));
    std::size_t mask = larger.size() - 1;
    for (const Slot& slot : slots_) {
      if (slot.process != no_index) {
        std::size_t at = slot.hash & mask;
        while (larger[at].process != no_index) {
          at = (at + 1) & mask;
        }
        larger[at] = slot;
      }
    }
    slots_ = std::move(larger);
  }

  // A recording chooses its ids, so it must not know which of them collide.
  std::uint64_t salt_ = random_number();
  std::vector<Slot> slots_;
  std::array<Index, 1024> recent_ = {};  // by pid; each is compared before it is used
};

}  // namespace bpftrap
