// SPDX-License-Identifier: GPL-2.0-only
// Time as something to read: timers, and the setting of the wall clock.
#pragma once

#include <chrono>

#include "core/os/unique_fd.h"

namespace bpftrap {

// A timer on CLOCK_BOOTTIME, readable when it has expired: it goes on while the machine sleeps.
class Timer {
 public:
  Timer();  // throws Error

  int fd() const { return fd_.get(); }
  // Once after `delay` (at least 1 ns), or then and each `delay` after it.
  void arm(std::chrono::nanoseconds delay, bool repeat = false);
  // To be called when readable; false if it had not expired after all.
  bool take();

 private:
  UniqueFd fd_;
};

// Readable when somebody has set the wall clock: timerfd with TFD_TIMER_CANCEL_ON_SET.
class ClockStepWatch {
 public:
  ClockStepWatch();  // throws Error

  int fd() const { return fd_.get(); }
  // To be called when readable: true if the clock was set. Arms the watch again.
  bool take();

 private:
  void arm();

  UniqueFd fd_;
};

}  // namespace bpftrap
