// SPDX-License-Identifier: GPL-2.0-only
// Live processes that were reported from their fork, and the depth of each below its first known
// ancestor: for --forest and --wait-all.
#pragma once

#include <unordered_map>

#include "core/process/sweep.h"
#include "core/record/record.h"

namespace bpftrap {

class Descent {
 public:
  // A fork beyond so many live processes is not remembered. Live traces forget earlier (sweep.h).
  static constexpr std::size_t most = std::size_t{1} << 19;

  void forked(const ForkRecord& record);
  // The depth of a process that executes a program. A process whose fork was not seen is a root.
  unsigned executed(const Process& process) {
    return members_.try_emplace(process.id, Member{0, process.local_pid}).first->second.depth;
  }
  // The depth of a process that has ended. Forgets the process.
  unsigned ended(const ProcessId& id);

  // Steps of a sweep, for ends without a record: see sweep.h.
  bool wants_sweep() const { return sweep_.is_due(size()); }
  void mark_dead() {
    sweep_.mark(members_, [](const auto& entry) { return entry.second.local_pid; });
  }
  void forget_dead();

  std::size_t size() const { return members_.size(); }

 private:
  struct Member {
    unsigned depth = 0;
    Pid local_pid = 0;
  };

  std::unordered_map<ProcessId, Member, ProcessIdHash> members_;
  Sweep<ProcessId> sweep_;
};

}  // namespace bpftrap
