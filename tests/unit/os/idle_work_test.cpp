// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/idle_work.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <string>

namespace bpftrap {
namespace {

TEST(IdleWork, GoesOnUntilThrough) {
  EventLoop loop;
  std::string calls;
  IdleWork work(
      loop,
      [&] {
        calls += 's';
        return calls.size() < 3;
      },
      [&] {
        calls += 'd';
        loop.stop();
      });
  EXPECT_EQ(calls, "") << "the loop does not run yet";
  loop.run();
  EXPECT_EQ(calls, "sssd");
}

TEST(IdleWork, DelaysNoEventByMoreThanAStep) {
  EventLoop loop;
  Timer event;
  int steps = 0;
  loop.watch(event.fd(), EPOLLIN, [&](std::uint32_t) { loop.stop(); });
  IdleWork work(
      loop,
      [&] {
        if (++steps == 10) {
          event.arm(std::chrono::nanoseconds(1));
        }
        return true;
      },
      [] { FAIL() << "called before the work was done"; });
  loop.run();
  EXPECT_LE(steps, 12);
}

}  // namespace
}  // namespace bpftrap
