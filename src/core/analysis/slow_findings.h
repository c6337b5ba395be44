// SPDX-License-Identifier: GPL-2.0-only
// Facts about a run that help to make it faster, beside its critical path.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/analysis/critical_path.h"

namespace bpftrap {

// Processes with one name.
struct ProgramTime {
  std::string_view name;
  std::uint64_t processes = 0;
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds cpu_wait{};
  std::chrono::nanoseconds on_path{};
};
// The most CPU time first. `members`: the tree.
std::vector<ProgramTime> times_by_program(const RecordedRun& run, const std::vector<Index>& members,
                                          const CriticalPath& path);

// A process with its descendants.
struct BranchTime {
  Index process = no_index;
  Index busiest = no_index;  // of these, the one with the most CPU time
  std::uint64_t processes = 0;
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds cpu{};
};
// The children of the first process that has several, the most CPU time first.
std::vector<BranchTime> times_by_branch(const RecordedRun& run, const std::vector<Index>& members);

// A command that ran several times with the same arguments in the same directory.
struct Repeated {
  const RunExec* exec = nullptr;
  std::uint64_t times = 0;
  std::chrono::nanoseconds duration{};  // of all times
};
// The longest first. Without those that took less than `least` after the first time.
std::vector<Repeated> repeated_commands(const RecordedRun& run, const std::vector<Index>& members,
                                        std::chrono::nanoseconds least);

// Executions of a file that does not exist, as a search along PATH makes them.
struct FailedLookups {
  std::uint64_t count = 0;
  std::uint64_t of_name = 0;      // of the name that was looked up most often
  std::string_view example = {};  // a path of these
};
FailedLookups failed_lookups(const RecordedRun& run, const std::vector<Index>& members);

// Programs in the tree that let servers outside it work.
std::vector<std::string_view> clients_of_servers(const RecordedRun& run,
                                                 const std::vector<Index>& members);

// A process that noticed the ends of its children late.
struct Polling {
  Index process = no_index;
  std::uint64_t times = 0;
  std::chrono::nanoseconds delay{};
};
Polling find_polling(const RecordedRun& run, const CriticalPath& path);

// A process on the path whose standard input is the output of another process.
struct Pipe {
  Index reader = no_index;
  Index writer = no_index;  // no_index: nothing is recorded of standard files, so it is a guess
  std::chrono::nanoseconds on_path{};  // of the reader
};
// One for each pipe whose reader is at least so long on the path, the longest first.
std::vector<Pipe> find_pipes(const RecordedRun& run, const std::vector<Index>& members,
                             const CriticalPath& path, std::chrono::nanoseconds least);

}  // namespace bpftrap
