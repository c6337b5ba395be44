// SPDX-License-Identifier: GPL-2.0-only
// Explains the end of a process from the records around it: who sent the signal, what failed below
// it, and how often it ended. Pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/died/search.h"
#include "core/analysis/run.h"

namespace bpftrap {

// A process of a chain, as it was at a moment.
struct Relative {
  ProcessId id;
  Pid local_pid = 0;
  std::string comm = {};
  std::optional<std::string> user = {};
  std::optional<std::string> args = {};  // each with a NUL behind it
  bool args_truncated = false;
  std::string title = {};  // name of the script or program

  // The number that people know.
  Pid shown_pid() const { return local_pid != 0 ? local_pid : id.pid; }
};

struct Lineage {
  std::vector<Relative> members = {};  // each one the parent of the one before
  bool more = false;                   // the last one has ancestors that are not known
};

// The process that sent a signal, and those that led to it.
struct SignalOrigin {
  int signal = 0;
  Lineage lineage = {};         // the sender first
  std::size_t responsible = 0;  // in lineage: the first that is no mere tool, such as kill
  // Commands that asked a service manager or a container runtime at that time.
  std::vector<Relative> requests = {};
};

// A descendant that failed shortly before.
struct FailedChild {
  std::chrono::nanoseconds before{};  // the end
  Relative process;
  std::string status;     // without the sender
  int signal = 0;         // that ended it; 0: none
  bool is_child = false;  // false: a descendant further down
  std::optional<SignalOrigin> killer = {};
};

// A program that a process below, or itself, could not execute.
struct MissingProgram {
  std::chrono::nanoseconds before{};
  Relative process;
  std::string name;
  std::string error = {};    // ENOENT
  std::size_t attempts = 0;  // such as one per directory of PATH
};

// How often such ends happened.
struct History {
  std::size_t count = 0;   // in the hour before
  std::size_t failed = 0;  // of them
  // Ends up to this one in turn, each of which failed before the next process started.
  std::size_t turns = 0;
  bool loop = false;                    // these are a restart loop
  std::chrono::nanoseconds interval{};  // between ends: the median
  std::chrono::nanoseconds shortest{};
  std::chrono::nanoseconds longest{};
  std::uint64_t lost = 0;  // ends of that hour that are not known
};

struct Death {
  FoundEnd end;
  std::optional<std::string> user = {};
  Lineage ancestors = {};
  std::optional<SignalOrigin> killer = {};
  std::optional<SignalOrigin> last = {};     // that of last_signal
  std::vector<FailedChild> failed = {};      // the last ones, in the order of time
  std::size_t failed_count = 0;              // of all
  std::optional<FailedChild> reported = {};  // the one that an exit code of 128+N tells of
  std::vector<MissingProgram> missing = {};  // the last ones, in the order of time
  History history = {};
  std::vector<RecentEnd> recent = {};
  std::uint64_t lost = 0;  // records of the time around the end, and around the signal

  const ExitRecord& exit() const { return end.exit.record(); }
};

// Time before the end in which failures are told.
inline constexpr std::chrono::nanoseconds failures_before = std::chrono::seconds(10);
// Failures that are told: the last ones. A process may bring about any number of them.
inline constexpr std::size_t failures_most = 5;

// Adds everything but the origins of signals and the history. `run` has the records of the last
// seconds.
void explain_end(Death& death, RecordedRun& run);

// `run` has the records up to `time`. `exit`: of the process that got the signal.
SignalOrigin explain_signal(const Sender& sender, int signal, BootTime time, const ExitRecord& exit,
                            RecordedRun& run);

// `lost`: ends of the hour that are not known.
History judge_history(const ExitRecord& exit, const std::vector<RecentEnd>& recent,
                      std::uint64_t lost = 0);

// The record for JSON. Views point into `death`.
DeathRecord death_record(const Death& death);

}  // namespace bpftrap
