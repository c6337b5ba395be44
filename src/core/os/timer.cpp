// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <limits>

#include "core/os/error.h"

namespace bpftrap {

Timer::Timer() : fd_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) {
    throw Error("cannot create a timer", errno);
  }
}

void Timer::arm(std::chrono::nanoseconds delay, bool repeat) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
  timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = (delay - seconds).count();
  itimerspec spec{};
  spec.it_value = time;
  if (repeat) {
    spec.it_interval = time;
  }
  ::timerfd_settime(fd_.get(), 0, &spec, nullptr);
}

bool Timer::take() {
  std::uint64_t expirations = 0;
  return ::read(fd_.get(), &expirations, sizeof expirations) ==
         static_cast<ssize_t>(sizeof expirations);
}

ClockStepWatch::ClockStepWatch()
    : fd_(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) {
    throw Error("cannot create a timer", errno);
  }
  arm();
}

void ClockStepWatch::arm() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<time_t>::max();
  ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
}

bool ClockStepWatch::take() {
  std::uint64_t expirations = 0;
  if (::read(fd_.get(), &expirations, sizeof expirations) < 0 && errno == ECANCELED) {
    arm();
    return true;
  }
  return false;
}

}  // namespace bpftrap
