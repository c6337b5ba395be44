// SPDX-License-Identifier: GPL-2.0-only
// Waits for the orphans whose parent bpftrap becomes, as process 1 of a container does. Otherwise
// they would stay zombies until bpftrap ends.
#pragma once

#include "core/os/event_loop.h"
#include "core/os/unique_fd.h"
#include "core/process/program.h"

namespace bpftrap {

class Reaper {
 public:
  // Blocks SIGCHLD for the process, for good. `program` may be null; its status is left to it. Both
  // must outlive the loop's run. Throws Error.
  Reaper(EventLoop& loop, Program* program);
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  // Waits for every child that has ended.
  void reap();

 private:
  UniqueFd fd_;
  Program* program_;
};

}  // namespace bpftrap
