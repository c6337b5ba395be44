// SPDX-License-Identifier: GPL-2.0-only
// Timers and changes of the wall clock through descriptors (timerfd).
#pragma once

#include <chrono>

#include "core/os/unique_fd.h"

namespace bpftrap {

// A timer on CLOCK_BOOTTIME, readable after it has expired. It runs on during suspend.
class Timer {
 public:
  Timer();  // throws Error

  int fd() const { return fd_.get(); }
  // Expires once after `delay` (at least 1 ns), or repeatedly.
  void arm(std::chrono::nanoseconds delay, bool repeat = false);
  // Call it when readable. False if the timer had not expired after all.
  bool take();

 private:
  UniqueFd fd_;
};

// Readable when somebody has set the wall clock: timerfd with TFD_TIMER_CANCEL_ON_SET.
class ClockStepWatch {
 public:
  ClockStepWatch();  // throws Error

  int fd() const { return fd_.get(); }
  // Call it when readable. True if the clock was set. Arms the watch again.
  bool take();

 private:
  void arm();

  UniqueFd fd_;
};

}  // namespace bpftrap
