// SPDX-License-Identifier: GPL-2.0-only
// A run made by hand: processes with their times and accounts.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/run.h"

namespace bpftrap {

class MadeRun {
 public:
  using ns = std::chrono::nanoseconds;

  MadeRun() {
    run.start = BootTime(ns(0));
    run.host.cpus = 2;
    run.has_stopped = true;
  }

  // A process that its parent forked and for whose end it slept.
  Index add(Index parent, ns start, ns end) {
    auto index = static_cast<Index>(run.processes.size());
    RunProcess& process = run.processes.grow();
    process.id = {100 + index, static_cast<std::uint64_t>(start.count())};
    process.parent = process.creator = process.end_parent = parent;
    process.born = process.ended = process.end_recorded = true;
    process.end = BootTime(end);
    process.comm = process.birth_comm = run.texts.add("p" + std::to_string(index));
    process.cpu_wait = ns(0);
    if (parent != no_index) {
      process.at_birth.tid = process.at_end.tid = run.processes[parent].id.pid;
      process.at_end.state = 1;
    }
    run.stop = std::max(run.stop, process.end);
    return index;
  }

  RunProcess& at(Index process) { return run.processes[process]; }

  // The process executed a program; `args` are separated by spaces.
  RunExec& execute(Index process, ns time, std::string_view args, int error = 0) {
    auto index = static_cast<Index>(run.execs.size());
    RunExec& exec = run.execs.grow();
    exec.process = process;
    exec.time = BootTime(time);
    exec.error = error;
    std::string bytes(args);
    std::replace(bytes.begin(), bytes.end(), ' ', '\0');
    exec.args = run.texts.add(bytes + '\0');
    exec.filename = run.texts.add("/bin/" + bytes.substr(0, bytes.find('\0')));
    exec.exe = exec.filename;
    exec.cwd = run.texts.add("/src");
    exec.comm = error == 0 ? run.texts.add(bytes.substr(0, bytes.find('\0'))) : TextId::none;
    RunProcess& p = run.processes[process];
    (p.last_exec == no_index ? p.first_exec : run.execs[p.last_exec].next) = index;
    p.last_exec = index;
    p.comm = error == 0 ? run.texts.add(bytes.substr(0, bytes.find('\0'))) : p.comm;
    return exec;
  }

  RecordedRun& done() {
    run.link_children();
    return run;
  }

  RecordedRun run;
};

}  // namespace bpftrap
