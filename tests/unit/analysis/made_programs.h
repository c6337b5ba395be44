// SPDX-License-Identifier: GPL-2.0-only
// A run that a test makes process by process.
#pragma once

#include <chrono>
#include <string>

#include "core/analysis/run.h"

namespace bpftrap {

class MadePrograms {
 public:
  using Times = std::chrono::milliseconds;

  explicit MadePrograms(const std::string& directory = "/home") : directory_(directory) {
    run.has_program = true;
    run.has_stopped = true;
  }

  // A process of that parent (no_index: of the recorder) that runs `words`, separated by spaces.
  Index add(Index parent, const std::string& words, Times start, Times end, int wait_status = 0) {
    auto index = static_cast<Index>(run.processes.size());
    RunProcess& process = run.processes.grow();
    process.id = {next_pid, static_cast<std::uint64_t>(std::chrono::nanoseconds(start).count())};
    process.local_pid = next_pid++;
    process.parent = parent;
    process.comm = run.texts.add(words.substr(0, words.find(' ')));
    process.born = process.ended = process.end_recorded = true;
    process.end = BootTime(end);
    process.wait_status = wait_status;
    execute(index, words, start);
    return index;
  }

  // Another program of the process, or one that it cannot execute.
  Index execute(Index process, const std::string& words, Times time, int error = 0) {
    auto index = static_cast<Index>(run.execs.size());
    RunExec& exec = run.execs.grow();
    exec.process = process;
    exec.time = BootTime(time);
    exec.error = error;
    exec.filename = run.texts.add(words.substr(0, words.find(' ')));
    exec.cwd = run.texts.add(directory_);
    std::string args = words + ' ';
    for (char& c : args) {
      c = c == ' ' ? '\0' : c == '_' ? ' ' : c;  // `_` stands for a space within an argument
    }
    exec.args = run.texts.add(args);
    RunProcess& owner = run.processes[process];
    if (owner.last_exec == no_index) {
      owner.first_exec = index;
    } else {
      run.execs[owner.last_exec].next = index;
    }
    owner.last_exec = index;
    return index;
  }

  RecordedRun run;
  Pid next_pid = 5000;

 private:
  std::string directory_;
};

}  // namespace bpftrap
