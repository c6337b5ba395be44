// SPDX-License-Identifier: GPL-2.0-only
// The processes that live, as the records about them that a later segment needs: their fork, their
// last exec, and, if they are older than the recording, what /proc told. Memory is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/process/sweep.h"
#include "core/record/record.h"

namespace bpftrap {

class LiveProcesses {
 public:
  static constexpr std::size_t bytes_of_entry = 256;

  explicit LiveProcesses(std::size_t bytes_most) : most_(bytes_most) {}

  // `record`: its bytes, for a later segment.
  void forked(const ProcessId& id, Pid local_pid, std::span<const std::byte> record);
  void executed(const ProcessId& id, Pid local_pid, std::span<const std::byte> record);
  void ended(const ProcessId& id, Pid local_pid);
  // A process that is older than the recording. A later record about it replaces an earlier one.
  void add_older(Pid local_pid, std::string record);

  // Calls `use` for the records of all processes: older ones first, then forks, then execs, each
  // process after its parent.
  void for_each(const std::function<void(std::string_view)>& use) const;

  std::size_t size() const { return processes_.size(); }
  std::size_t bytes() const { return bytes_; }

  // Steps of a sweep: see sweep.h.
  bool wants_sweep() const { return sweep_.is_due(size()); }
  void mark_dead();
  void forget_dead();

 private:
  struct Entry {
    Pid local_pid = 0;
    std::string birth;  // empty: none
    std::string exec;

    std::size_t bytes() const { return birth.size() + exec.size() + bytes_of_entry; }
  };

  Entry* entry_of(const ProcessId& id, Pid local_pid);
  // Replaces `text` by the record, if there is room.
  void keep(std::string& text, std::span<const std::byte> record);
  // Returns false if it was unknown.
  bool forget(const ProcessId& id);
  void forget_older(Pid local_pid);

  std::size_t most_;
  std::size_t bytes_ = 0;
  std::unordered_map<ProcessId, Entry, ProcessIdHash> processes_;
  std::unordered_map<Pid, std::string> older_;  // by local pid
  Sweep<ProcessId> sweep_;
  Sweep<Pid> sweep_older_;
};

}  // namespace bpftrap
