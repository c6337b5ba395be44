// SPDX-License-Identifier: GPL-2.0-only
// Reads the command lines of processes older than the tracer from /proc.
//
// A process can make the reader of its /proc/PID/cmdline wait for as long as it likes: one of its
// threads waits for a page of a file that never arrives and holds the lock of its memory
// (mmap_lock), another one queues for that lock as a writer. Threads read, so only they wait. They
// end with bpftrap, because the kernel waits for that lock killably. /proc/PID/mem is worse: its
// reader survives SIGKILL.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/os/event_loop.h"
#include "core/process/command_lines.h"

namespace bpftrap {

// Reads one process by its directory, /proc/PID. None if it is gone, a kernel thread or a zombie,
// or if it has not executed anything.
std::optional<OlderProcess> read_older_process(const std::string& directory, Pid pid);

class OlderProcesses {
 public:
  // As many processes may block their reader, and the others are still read.
  static constexpr int threads = 4;

  struct Calls {
    std::function<void()> confine;             // called first in each thread
    std::function<void(OlderProcess&&)> take;  // called by the loop for each process
  };

  // Starts to read all processes of `proc` ("/proc"). The loop must outlive this object. A thread
  // that waits remains until the process ends. Throws Error.
  OlderProcesses(EventLoop& loop, const std::string& proc, Calls calls);
  OlderProcesses(const OlderProcesses&) = delete;
  OlderProcesses& operator=(const OlderProcesses&) = delete;
  ~OlderProcesses();

 private:
  struct Shared;

  void take_all();

  std::shared_ptr<Shared> shared_;  // outlives this object while a thread waits
  std::function<void(OlderProcess&&)> take_;
};

}  // namespace bpftrap
