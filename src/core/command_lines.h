// SPDX-License-Identifier: GPL-2.0-only
// The last command line of each process, from its exec to its end: seen live or, for processes that
// are older than the tracer, read from /proc.
#pragma once

#include <dirent.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/record.h"

namespace bpftrap {

struct CommandLine {
  std::optional<std::string> filename;
  std::optional<std::string> args;  // each argument with a NUL behind it
  bool truncated = false;
};

class CommandLines {
 public:
  // The process executed a program: this is its command line from now on. Now and then those of
  // processes that ended unseen are forgotten.
  void remember(const ExecRecord& record);

  // Takes out what is known of a process that ended.
  std::optional<CommandLine> take(const ProcessId& id);

  // Forgets processes that do not exist any more: their exit records were lost.
  void forget_dead();

  // Command lines kept before it is looked for those of the dead.
  static constexpr std::size_t sweep_least = 4096;

  // Records of /proc read at one go.
  static constexpr int slice = 64;

  // Reads the next few processes of `proc` («/proc») that are not known from an exec. False when
  // through. Between two calls events are handled, so that thousands of processes delay none.
  bool read_older(const std::string& proc);

  std::size_t size() const { return live_.size() + older_.size(); }

 private:
  // /proc tells a process's start in clock ticks only.
  struct Older {
    std::uint64_t start_ticks = 0;
    CommandLine line;
  };
  struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };

  void read_one(const std::string& directory, Pid pid);

  std::unordered_map<ProcessId, CommandLine, ProcessIdHash> live_;
  std::unordered_map<Pid, Older> older_;
  std::unique_ptr<DIR, CloseDir> dir_;
  std::size_t sweep_at_ = sweep_least;
};

}  // namespace bpftrap
