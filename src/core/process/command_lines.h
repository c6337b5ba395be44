// SPDX-License-Identifier: GPL-2.0-only
// The last command line of each process, from its exec to its end: seen live or, for processes that
// are older than the tracer, read from /proc. Anybody may start many processes with long command
// lines, so there is a bound; what finds no room is not kept, and what is kept is whole.
#pragma once

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
  std::optional<std::string> args;  // each argument with a NUL behind it
  bool truncated = false;
  Pid local_pid = 0;  // of the process, in bpftrap's own pid namespace; 0 outside it
};

class CommandLines {
 public:
  // Bytes of all command lines, an entry's own included. Those of more than `long_line` may take
  // half of it, so that a few thousand of them leave room for those that most processes have.
  static constexpr std::size_t bytes_most = std::size_t{64} << 20;
  static constexpr std::size_t long_line = 1024;
  static constexpr std::size_t bytes_of_entry = 256;

  explicit CommandLines(std::size_t most = bytes_most) : most_(most) {}

  // The process executed a program: this is its command line from now on, or nothing where it finds
  // no room. `in_any_case`: take() is to tell at least that it executed something.
  void remember(const ExecRecord& record, bool in_any_case = false);

  // Takes out what is known of a process that ended.
  std::optional<CommandLine> take(const Process& process);

  // Whether so many have gathered that it is time to look for those of the dead: an end is not told
  // where it was lost, or where a filter judged a later exec, or the end itself, otherwise.
  bool wants_sweep() const { return sweep_.is_due(size()); }
  // Marks processes that do not exist any more, and forgets the marked: see sweep.h.
  void mark_dead();
  void forget_dead();

  // Processes of /proc per call of read_older().
  static constexpr int slice = 64;

  // Reads the next few processes of `proc` ("/proc") that are not known from an exec. False when
  // all are read. The caller handles events between two calls, so thousands of processes delay
  // none.
  bool read_older(const std::string& proc);

  std::size_t size() const { return live_.size() + older_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t most() const { return most_; }
  // Command lines that found no room.
  std::uint64_t refused() const { return refused_; }

 private:
  // /proc tells a process's start in clock ticks only.
  struct Older {
    std::uint64_t start_ticks = 0;
    CommandLine line;
  };

  void read_one(const std::string& directory, Pid pid);
  // Takes room for a command line of so many bytes, if there is room.
  bool reserve(std::size_t size);
  // Gives the room of this one back.
  void release(const CommandLine& line);
  void forget(const ProcessId& id);
  void forget_older(Pid local_pid);

  std::unordered_map<ProcessId, CommandLine, ProcessIdHash> live_;
  std::unordered_map<Pid, Older> older_;  // by local pid, as /proc shows it
  std::optional<ProcWalk> older_walk_;
  std::size_t most_;
  std::size_t bytes_ = 0;
  std::size_t long_bytes_ = 0;  // of them, those of long lines
  std::uint64_t refused_ = 0;
  Sweep<ProcessId> sweep_;
  Sweep<Pid> sweep_older_;
};

}  // namespace bpftrap
