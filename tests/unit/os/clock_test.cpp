// SPDX-License-Identifier: GPL-2.0-only
// core/os/clock.h, with clocks that the test sets, suspends and slows down. One test uses the real
// clocks.
#include "core/os/clock.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>

namespace bpftrap {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

BootTime boot(nanoseconds since_boot) {
  return BootTime(since_boot);
}

// The clocks of a machine. A reading takes time, as on real hardware.
class FakeMachine {
 public:
  TimeSources sources() {
    return {.now_boot =
                [this] {
                  pass(reading_boot_takes_);
                  return boot(boot_);
                },
            .now_real =
                [this] {
                  pass(reading_real_takes_);
                  return WallTime{(boot_ + offset_).count()};
                }};
  }

  // Both clocks advance alike while the machine runs or sleeps, or NTP slews its clock.
  void pass(nanoseconds time) { boot_ += time; }
  void set_clock(nanoseconds by) { offset_ += by; }
  void slow_readings_to(nanoseconds of_boot, nanoseconds of_real) {
    reading_boot_takes_ = of_boot;
    reading_real_takes_ = of_real;
  }

  BootTime now() const { return boot(boot_); }
  std::int64_t wall_now() const { return (boot_ + offset_).count(); }

 private:
  nanoseconds boot_ = seconds(100);
  nanoseconds offset_ = seconds(1'769'860'700);
  nanoseconds reading_boot_takes_{10};
  nanoseconds reading_real_takes_{30};
};

// The offset comes from three readings, so it is wrong by half of the time that they take.
constexpr std::int64_t kReadingError = 20;

// EXPECT_NEAR() would convert to double, where neighbours of these numbers are 256 ns apart.
std::int64_t distance(std::int64_t a, std::int64_t b) {
  return a < b ? b - a : a - b;
}

TEST(WallClock, ConvertsAtTheOffsetThatItMeasured) {
  FakeMachine machine;
  WallClock clock(machine.sources());
  machine.pass(seconds(3));
  EXPECT_LE(distance(clock.to_wall(machine.now()).ns, machine.wall_now()), kReadingError);
  auto earlier = boot(seconds(1));
  EXPECT_LE(distance(clock.to_wall(earlier).ns, nanoseconds(seconds(1'769'860'701)).count()),
            kReadingError)
      << "a process that started long before bpftrap";
  EXPECT_EQ(
      clock.to_wall(boot(seconds(9) + nanoseconds(7))).ns - clock.to_wall(boot(seconds(9))).ns, 7)
      << "differences are exact";
}

TEST(WallClock, NowIsTheMachinesNow) {
  FakeMachine machine;
  WallClock clock(machine.sources());
  machine.pass(milliseconds(1500));
  auto now = clock.now().ns;
  EXPECT_LE(distance(now, machine.wall_now()), kReadingError);
}

TEST(WallClock, KeepsItsOffsetWhileNobodySetsTheClock) {
  FakeMachine machine;
  WallClock clock(machine.sources());
  auto offset_at = [&clock](BootTime time) {
    return clock.to_wall(time).ns - time.time_since_epoch().count();
  };
  auto offset = offset_at(machine.now());
  for (int second = 0; second < 1000; ++second) {
    machine.pass(seconds(1));
    machine.slow_readings_to(nanoseconds(15 + second * 7 % 400),
                             nanoseconds(15 + second * 11 % 300));
    EXPECT_FALSE(clock.reanchor());
    ASSERT_EQ(offset_at(machine.now()), offset) << "timestamps must not jitter";
    ASSERT_EQ(offset_at(boot(seconds(99))), offset);
  }
}

TEST(WallClock, SuspendMovesBothClocks) {
  FakeMachine machine;
  WallClock clock(machine.sources());
  machine.pass(std::chrono::hours(9));
  EXPECT_LE(distance(clock.to_wall(machine.now()).ns, machine.wall_now()), kReadingError);
  EXPECT_FALSE(clock.reanchor());
  EXPECT_LE(distance(clock.to_wall(machine.now()).ns, machine.wall_now()), kReadingError);
}

TEST(WallClock, EventsBeforeAStepKeepTheTimeThatWasShownThen) {
  for (const auto step : {nanoseconds(seconds(3600)), nanoseconds(seconds(-3600)),
                          nanoseconds(milliseconds(1)), nanoseconds(-1'000)}) {
    FakeMachine machine;
    WallClock clock(machine.sources());
    machine.pass(seconds(1));
    auto event_before = machine.now();
    auto wall_before = machine.wall_now();
    machine.pass(milliseconds(10));
    machine.set_clock(step);
    EXPECT_TRUE(clock.reanchor()) << step.count();
    machine.pass(milliseconds(10));
    auto event_after = machine.now();
    auto wall_after = machine.wall_now();

    EXPECT_LE(distance(clock.to_wall(event_before).ns, wall_before), kReadingError) << step.count();
    EXPECT_LE(distance(clock.to_wall(event_after).ns, wall_after), kReadingError) << step.count();

    machine.pass(seconds(1));
    EXPECT_FALSE(clock.reanchor()) << "a step is found once";
    EXPECT_LE(distance(clock.to_wall(event_before).ns, wall_before), kReadingError)
        << "a call that finds no step keeps older offsets";
  }
}

TEST(WallClock, ALateStepIsDatedToTheCallThatFindsIt) {
  FakeMachine machine;
  WallClock clock(machine.sources());
  machine.pass(milliseconds(500));
  machine.set_clock(seconds(60));
  auto event_between = machine.now();
  auto wall_between = machine.wall_now();
  machine.pass(milliseconds(500));
  EXPECT_TRUE(clock.reanchor());
  EXPECT_LE(
      distance(clock.to_wall(event_between).ns, wall_between - nanoseconds(seconds(60)).count()),
      kReadingError);
}

TEST(WallClock, TakesTheTightestOfSeveralReadings) {
  FakeMachine machine;
  auto sources = machine.sources();
  // Every reading except the second is interrupted right after the wall clock was read.
  int readings = 0;
  sources.now_real = [&machine, &readings] {
    WallTime now{machine.wall_now()};
    if (++readings != 2) {
      machine.pass(seconds(1));
    }
    return now;
  };
  WallClock clock(sources);
  EXPECT_GT(readings, 2);
  EXPECT_LE(distance(clock.to_wall(machine.now()).ns, machine.wall_now()), kReadingError);
}

TEST(WallClock, OnThisMachine) {
  WallClock clock;
  timespec real{};
  auto converted = clock.now();
  clock_gettime(CLOCK_REALTIME, &real);
  auto expected = std::int64_t{real.tv_sec} * 1'000'000'000 + real.tv_nsec;
  EXPECT_LE(distance(converted.ns, expected), 50'000'000);
}

TEST(BootClock, GoesOnAndCountsFromBoot) {
  auto first = BootClock::now();
  auto second = BootClock::now();
  EXPECT_LE(first, second);
  EXPECT_GT(first.time_since_epoch(), nanoseconds::zero());
  static_assert(BootClock::is_steady);
  static_assert(std::chrono::is_clock_v<BootClock>);
}

TEST(BoottimeNamespaceOffset, ReadsTheKernelsFile) {
  EXPECT_EQ(boottime_namespace_offset("monotonic           0         0\n"
                                      "boottime            0         0\n"),
            nanoseconds(0));
  EXPECT_EQ(boottime_namespace_offset("monotonic      172800        42\n"
                                      "boottime       604800 123456789\n"),
            seconds(604800) + nanoseconds(123456789));
  EXPECT_EQ(boottime_namespace_offset("boottime          -10 500000000\n"), milliseconds(-9500));
  EXPECT_EQ(boottime_namespace_offset(""), nanoseconds(0));
  EXPECT_EQ(boottime_namespace_offset("boottime"), nanoseconds(0));
  EXPECT_EQ(boottime_namespace_offset("monotonic 5 5\n"), nanoseconds(0));
}

}  // namespace
}  // namespace bpftrap
