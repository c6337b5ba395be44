// SPDX-License-Identifier: GPL-2.0-only
// Work in small steps, done while no event is ready.
#pragma once

#include <functional>

#include "core/os/event_loop.h"
#include "core/os/timer.h"

namespace bpftrap {

class IdleWork {
 public:
  // From the loop's first round on, calls `step` until it returns false, then `done` once. Events
  // that are ready are handled between two steps. The loop must outlive this.
  IdleWork(EventLoop& loop, std::function<bool()> step, std::function<void()> done);
  IdleWork(const IdleWork&) = delete;
  IdleWork& operator=(const IdleWork&) = delete;

 private:
  void run();

  std::function<bool()> step_;
  std::function<void()> done_;
  Timer timer_;
};

}  // namespace bpftrap
