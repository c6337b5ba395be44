// SPDX-License-Identifier: GPL-2.0-only
// Live processes that were reported from their fork: for --wait-all and --tree.
#pragma once

#include <unordered_map>

#include "core/process/sweep.h"
#include "core/record/record.h"

namespace bpftrap {

class Births {
 public:
  // A birth beyond so many live processes is not remembered. Live traces forget earlier (sweep.h).
  static constexpr std::size_t most = std::size_t{1} << 19;

  void forked(const Process& child);
  void ended(const ProcessId& id) { living_.erase(id); }

  // Steps of a sweep, for ends without a record: see sweep.h.
  bool wants_sweep() const { return sweep_.is_due(size()); }
  void mark_dead() {
    sweep_.mark(living_, [](const auto& entry) { return entry.second; });
  }
  void forget_dead();

  std::size_t size() const { return living_.size(); }

 private:
  std::unordered_map<ProcessId, Pid, ProcessIdHash> living_;  // pids in bpftrap's own namespace
  Sweep<ProcessId> sweep_;
};

}  // namespace bpftrap
