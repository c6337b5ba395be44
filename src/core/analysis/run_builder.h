// SPDX-License-Identifier: GPL-2.0-only
// Builds a RecordedRun from the records of a recording. Memory grows with the number of processes,
// and hostile texts are left out or cut when they have used up their room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/analysis/process_slots.h"
#include "core/analysis/run.h"
#include "core/process/cgroup_paths.h"
#include "core/recording/format.h"

namespace bpftrap {

class RunBuilder {
 public:
  // Names, users and cgroups of processes stay as they were at that time. Later records tell them
  // of processes that are not known yet only.
  void keep_state_of(BootTime time) { state_until_ = time; }

  // The records that follow belong to this batch.
  void begin_batch(const RecordingBatch& batch);
  void take(std::span<const std::byte> record);
  // Returns the run. The builder is empty then. A recording of several boots gives the last one.
  RecordedRun finish();

 private:
  void take(const RunRecord& record);
  void take(const OlderRecord& older);
  void take(const ForkRecord& fork);
  void take(const ExecRecord& exec, bool earlier);
  void take(const ExitRecord& exit);
  void take(const GoneRecord& gone);
  void take(const FinalRecord& last);
  void take_host(HostRecord&& host);
  void take_decoded(const Decoded& decoded);
  void restore(const Decoded& decoded);

  void link_older();
  void find_program();
  Index find_or_add(const ProcessId& id);
  // The process of the record, with what the record tells of it and of its parent.
  Index identify(const Process& process, BootTime time);
  // That of the process's parent or of the record before, if it is the same.
  Index identity_of(const Process& process, Index parent);
  RunSender sender(const Sender& sender);
  TextId cgroup_of(const Process& process);
  RunExec& add_exec(Index process);
  TextId add_args(const Arguments& args, bool& truncated);
  void add_files(const ExecRecord& record, RunExec& exec);
  void seen(BootTime time) { run_.stop = std::max(run_.stop, std::min(time, BootTime(time_most))); }

  RecordedRun run_;
  std::optional<CgroupPaths> cgroups_;
  std::uint64_t last_cgroup_ = 0;  // whose text is this:
  TextId last_cgroup_path_ = TextId::none;
  ProcessSlots slots_;
  struct Older {
    Pid pid;
    Pid parent;
    Index process;

    friend bool operator<(const Older& a, const Older& b) { return a.pid < b.pid; }
  };
  std::vector<Older> older_;  // those of the run
  BootTime state_until_ = BootTime::max();
  bool first_batch_ = true;
  std::uint64_t run_number_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool new_run_ = true;
};

}  // namespace bpftrap
