// SPDX-License-Identifier: GPL-2.0-only
// Timers, in real time. The tests do not set the clock, so ClockStepWatch has no step to report.
#include "core/os/timer.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

bool is_readable(int fd, std::chrono::milliseconds within) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(within.count())) == 1;
}

TEST(Timer, ExpiresOnce) {
  Timer timer;
  SteadyClock::time_point begin = SteadyClock::now();
  timer.arm(20ms);
  EXPECT_FALSE(timer.take()) << "not yet";
  ASSERT_TRUE(is_readable(timer.fd(), 10s));
  EXPECT_GE(SteadyClock::now() - begin, 20ms);
  EXPECT_TRUE(timer.take());
  EXPECT_FALSE(timer.take());
  EXPECT_FALSE(is_readable(timer.fd(), 50ms));
}

TEST(Timer, RepeatsUntilArmedAnew) {
  Timer timer;
  timer.arm(1ms, true);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(is_readable(timer.fd(), 10s));
    EXPECT_TRUE(timer.take());
  }
  timer.arm(1h);
  EXPECT_FALSE(is_readable(timer.fd(), 20ms));
  EXPECT_FALSE(timer.take());
}

TEST(Timer, TheLeastDelayExpiresAtOnce) {
  Timer timer;
  timer.arm(1ns);
  EXPECT_TRUE(is_readable(timer.fd(), 10s));
}

TEST(Timer, DelaysOfMoreThanASecondAreKept) {
  Timer timer;
  timer.arm(1s + 500ms);
  EXPECT_FALSE(is_readable(timer.fd(), 10ms));
}

TEST(Timer, IsNotReadableUnlessArmed) {
  Timer timer;
  EXPECT_FALSE(is_readable(timer.fd(), 10ms));
  EXPECT_FALSE(timer.take());
}

TEST(ClockStepWatch, SaysNothingWhileNobodySetsTheClock) {
  ClockStepWatch steps;
  EXPECT_FALSE(is_readable(steps.fd(), 20ms));
}

}  // namespace
}  // namespace bpftrap
