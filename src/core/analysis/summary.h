// SPDX-License-Identifier: GPL-2.0-only
// Adds up the exit records of a trace, for `--summary`: the whole run, programs, and the slowest
// commands. Memory is bounded, because traced processes choose names and arguments.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/record/field.h"

namespace bpftrap {

// Sums over processes that ended.
struct Sums {
  std::uint64_t count = 0;
  std::uint64_t failures = 0;  // processes with a wait status other than 0
  std::chrono::nanoseconds duration_total{};
  std::chrono::nanoseconds duration_max{};
  CpuTimes cpu{};
  std::uint64_t rss_bytes = 0;  // maximum

  // Durations and CPU times saturate at their maximum (292 years).
  void add(const Sums& other);
  // Replaces the share `before` of one process by `after`.
  void amend(const CpuTimes& before, const CpuTimes& after);
  std::chrono::nanoseconds cpu_total() const;
};

// A line of the summary. `part` decides which members beside `sums` it has.
struct SummaryRecord {
  enum class Part { run, program, command };

  BootTime time;  // when the summary was made
  Part part = Part::run;
  Sums sums;
  // A run has these.
  bool cpu_before = false;  // much of the CPU time may be of before the run
  std::optional<std::chrono::nanoseconds> wall = {};
  std::optional<std::uint64_t> cpus = {};
  // Programs and commands have a name, at the end, and that of the parent.
  std::optional<std::string_view> comm = {};
  std::optional<std::string_view> parent_comm = {};
  // A command has these.
  std::optional<ProcessId> id = {};
  std::optional<Arguments> args = {};
  std::optional<std::string_view> cwd = {};
};

FieldTable fields_of(const SummaryRecord*);

class Summary {
 public:
  // Name of the row for all programs beyond the limit. It is longer than the 15 bytes of a comm, so
  // no process can have it.
  static constexpr std::string_view others = "(all other names)";

  // Number of slowest commands that are kept, and bytes of arguments of each.
  static constexpr std::size_t commands_most = 100;
  static constexpr std::size_t args_most = 4096;

  // Counts programs after the first `most_programs` as `others`, because a process may rename
  // itself any number of times.
  explicit Summary(std::size_t most_programs = 16384) : most_programs_(most_programs) {}

  void start(BootTime time) { started_ = time; }
  void add(const ExitRecord& record);
  // Replaces the CPU time of a process that was added by the final one.
  void amend(const FinalRecord& record);

  bool empty() const { return run_.count == 0; }

  // Returns one record for the run, one per program by descending CPU time, then the slowest
  // commands by descending duration: those of processes without children, because the others mostly
  // waited for them. Views point into this object. `cpus`: CPUs of the machine. `until`: end of the
  // run; without it, the end of the last process.
  std::vector<SummaryRecord> rows(BootTime now, std::uint64_t cpus,
                                  std::optional<BootTime> until) const;

 private:
  // Name of a program and of its parent.
  using Names = std::pair<std::string, std::string>;

  // A process that took long.
  struct Command {
    ProcessId id;
    Sums sums;
    std::string comm;
    std::string parent_comm;
    std::optional<std::string> args = {};
    bool truncated = false;
    std::optional<std::string> cwd = {};
  };

  Sums& add_program(const ExitRecord& record, const Sums& sums);
  void add_command(const ExitRecord& record, const Sums& sums);
  // True if a child of the process ended before. Remembers that its parent has a child.
  bool had_child(const ExitRecord& record);
  // The most CPU time that the process can have taken before the run.
  std::chrono::nanoseconds cpu_before(const ExitRecord& record) const;
  void append_programs(std::vector<SummaryRecord>& rows, BootTime now) const;
  void append_commands(std::vector<SummaryRecord>& rows, BootTime now) const;

  std::size_t most_programs_;
  BootTime started_;
  BootTime last_end_;
  Sums run_;
  std::chrono::nanoseconds cpu_before_{};
  // Ordered instead of hashed, because a process could choose names whose hashes collide.
  std::map<Names, Sums, std::less<>> programs_;
  Sums others_;
  std::vector<Command> commands_;  // a heap, the shortest first
  std::unordered_set<ProcessId, ProcessIdHash> parents_;
  // Processes that were added and may be amended, at most `most_pending`: a parent may never wait.
  static constexpr std::size_t most_pending = 65536;
  struct Pending {
    Sums* program;
    CpuTimes cpu;
  };
  std::unordered_map<ProcessId, Pending, ProcessIdHash> pending_;
};

}  // namespace bpftrap
