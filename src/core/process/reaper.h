// SPDX-License-Identifier: GPL-2.0-only
// Reaps orphans that are re-parented to bpftrap as process 1 of a container. Otherwise they would
// stay zombies until bpftrap ends.
#pragma once

#include "core/os/event_loop.h"
#include "core/os/unique_fd.h"
#include "core/process/program.h"

namespace bpftrap {

class Reaper {
 public:
  // Blocks SIGCHLD for the process, permanently. Leaves the status of `program`, if not null, to
  // it. Both must outlive the loop's run. Throws Error.
  Reaper(EventLoop& loop, Program* program);
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  // Becomes readable when a child has ended.
  int fd() const { return fd_.get(); }
  // Reaps every child that has ended. The loop calls it; outside the loop, call it when readable.
  void reap();

 private:
  UniqueFd fd_;
  Program* program_;
};

}  // namespace bpftrap
