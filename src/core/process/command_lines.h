// SPDX-License-Identifier: GPL-2.0-only
// The last command line of each process, with its executable and directory, from its exec to its
// end: seen live, or read from /proc for processes older than the tracer. Memory is bounded,
// because any user may start many processes with long command lines. A command line that finds no
// room is not kept; others are kept whole.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/os/proc.h"
#include "core/process/sweep.h"
#include "core/record/record.h"

namespace bpftrap {

struct CommandLine {
  std::optional<std::string> filename;
  std::optional<std::string> exe;
  std::optional<std::string> cwd;
  std::optional<std::string> args;  // each argument with a NUL behind it
  bool truncated = false;
  Pid local_pid = 0;  // of the process, in bpftrap's own pid namespace; 0 outside it
  std::optional<std::uint32_t> exec_id = {};        // of its exec; none if it was read from /proc
  std::optional<std::uint64_t> max_rss_bytes = {};  // of the process before that exec
  bool matched = false;  // by --match: this exec, or an earlier one of the process
};

// A process of /proc, which shows a start in clock ticks only.
struct OlderProcess {
  Pid local_pid = 0;
  std::uint64_t start_ticks = 0;
  CommandLine line;
};

class CommandLines {
 public:
  // Maximum bytes of all command lines and their entries. Those above `long_line` may take half of
  // it, so that a few thousand of them leave room for ordinary ones.
  static constexpr std::size_t bytes_most = std::size_t{64} << 20;
  static constexpr std::size_t long_line = 1024;
  static constexpr std::size_t bytes_of_entry = 256;

  // `start_offset`: the offset of OlderProcess::start_ticks (proc_start_offset()), measured now,
  // because the sandbox forbids it later.
  explicit CommandLines(std::size_t most = bytes_most,
                        std::chrono::nanoseconds start_offset = proc_start_offset())
      : start_offset_(start_offset), most_(most) {}

  // The process executed a program, with this command line. Without room, the process has none.
  // `in_any_case`: take() then still reports that it executed something.
  // `matched`: see CommandLine.
  void remember(const ExecRecord& record, bool in_any_case = false, bool matched = true);

  // Removes and returns the command line of a process that ended.
  std::optional<CommandLine> take(const Process& process);
  void forget(const GoneRecord& gone);

  // True if enough entries have gathered for a sweep: the end of a process may have been lost.
  bool wants_sweep() const { return sweep_.is_due(size()); }
  // Steps of a sweep: see sweep.h.
  void mark_dead();
  void forget_dead();

  // Adds a process that is older than the tracer (older_processes.h). A command line that was seen
  // live takes precedence.
  void add_older(OlderProcess&& process);

  std::size_t size() const { return live_.size() + older_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t most() const { return most_; }
  // Command lines that found no room.
  std::uint64_t refused() const { return refused_; }

 private:
  // Reserves this many bytes. False if there is no room.
  bool reserve(std::size_t size);
  // Returns the room of this one.
  void release(const CommandLine& line);
  void forget(const ProcessId& id);
  void forget_older(Pid local_pid);

  std::unordered_map<ProcessId, CommandLine, ProcessIdHash> live_;
  std::unordered_map<Pid, OlderProcess> older_;  // by local pid, as /proc shows it
  std::chrono::nanoseconds start_offset_;
  std::size_t most_;
  std::size_t bytes_ = 0;
  std::size_t long_bytes_ = 0;  // of them, those of long lines
  std::uint64_t refused_ = 0;
  Sweep<ProcessId> sweep_;
  Sweep<Pid> sweep_older_;
};

}  // namespace bpftrap
