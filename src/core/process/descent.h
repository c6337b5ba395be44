// SPDX-License-Identifier: GPL-2.0-only
// Which processes live of those that are reported from birth, and how deep each stands below the
// first one of its descent that was seen: for the tree view and for --wait-all.
#pragma once

#include <unordered_map>

#include "core/process/sweep.h"
#include "core/record/record.h"

namespace bpftrap {

class Descent {
 public:
  void forked(const ForkRecord& record);
  // The depth of a process that executes something; one that nobody saw being forked is a root.
  unsigned executed(const Process& process) {
    return members_.try_emplace(process.id, Member{0, process.local_pid}).first->second.depth;
  }
  // The depth of a process that has ended, which is forgotten.
  unsigned ended(const ProcessId& id);

  // As for command lines: ends that no record tells of.
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
