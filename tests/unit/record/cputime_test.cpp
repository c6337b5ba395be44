// SPDX-License-Identifier: GPL-2.0-only
// core/record/cputime.h, compared with values computed by hand from kernel/sched/cputime.c, and
// with the guarantees of that function.
#include "core/record/cputime.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

CpuTimes times(std::int64_t user, std::int64_t system) {
  return {nanoseconds(user), nanoseconds(system)};
}

struct Case {
  std::string what;
  CpuTimes sampled;
  std::int64_t runtime;
  CpuTimes previous;
  CpuTimes adjusted;
};

TEST(AdjustCpuTimes, AsTheKernelDoes) {
  const std::vector<Case> cases{
      {"never ran", times(0, 0), 0, times(0, 0), times(0, 0)},
      {"no tick: all user", times(0, 0), 812'345, times(0, 0), times(812'345, 0)},
      {"no system tick: all user", times(4'000'000, 0), 5'000'001, times(0, 0),
       times(5'000'001, 0)},
      {"no user tick: all system", times(0, 4'000'000), 3'999'999, times(0, 0),
       times(0, 3'999'999)},
      {"scaled up in the ratio", times(3'000, 1'000), 8'000, times(0, 0), times(6'000, 2'000)},
      {"scaled down in the ratio", times(3'000, 1'000), 1'000, times(0, 0), times(750, 250)},
      {"system is rounded down, user has the rest", times(2, 1), 100, times(0, 0), times(67, 33)},
      {"128 bits on the way", times(3'000'000'000'000'000, 1'000'000'000'000'000),
       4'000'000'000'000'004, times(0, 0), times(3'000'000'000'000'003, 1'000'000'000'000'001)},
      {"runtime as already shown", times(1, 1), 100, times(40, 60), times(40, 60)},
      {"runtime behind what was shown", times(1, 1), 99, times(40, 60), times(40, 60)},
      {"system does not go back", times(9, 1), 1'000, times(300, 400), times(600, 400)},
      {"user does not go back", times(1, 9), 1'000, times(400, 300), times(400, 600)},
      {"no system tick, but system was shown", times(5, 0), 1'000, times(10, 20), times(980, 20)},
      {"no user tick, but user was shown", times(0, 5), 1'000, times(10, 20), times(10, 990)},
  };
  for (const auto& c : cases) {
    const auto adjusted = adjust_cpu_times(c.sampled, nanoseconds(c.runtime), c.previous);
    EXPECT_EQ(adjusted.user.count(), c.adjusted.user.count()) << c.what;
    EXPECT_EQ(adjusted.system.count(), c.adjusted.system.count()) << c.what;
  }
}

// The kernel guarantees this to readers of /proc during the life of a task.
TEST(AdjustCpuTimes, SumIsExactAndNothingGoesBack) {
  std::mt19937_64 random(20260131);
  for (int task = 0; task < 300; ++task) {
    CpuTimes sampled = times(0, 0);
    CpuTimes shown = times(0, 0);
    nanoseconds runtime(0);
    for (int step = 0; step < 60; ++step) {
      sampled.user += nanoseconds(random() % 3 * 4'000'000);
      sampled.system += nanoseconds(random() % 3 * 4'000'000);
      runtime += nanoseconds(random() % 9'000'000);
      const auto now = adjust_cpu_times(sampled, runtime, shown);
      ASSERT_EQ(now.user + now.system, runtime);
      ASSERT_GE(now.user, shown.user);
      ASSERT_GE(now.system, shown.system);
      shown = now;
    }
  }
}

// A malformed record may hold any bits. The sanitizers detect undefined behaviour.
TEST(AdjustCpuTimes, AnyBitsAreDefined) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> extremes{kMin, -1, 0, 1, kMax};
  int survived = 0;
  for (const auto a : extremes) {
    for (const auto b : extremes) {
      for (const auto c : extremes) {
        for (const auto d : extremes) {
          adjust_cpu_times(times(a, b), nanoseconds(c), times(d, a));
          adjust_cpu_times(times(a, b), nanoseconds(c), times(0, d));
          ++survived;
        }
      }
    }
  }
  EXPECT_EQ(survived, 625);
}

TEST(TotalCpuTime, OfOneThreadThatNeverSlept) {
  EndingAccount account{1ms, 2ms, 1ms, 20ms, 4ms, false, false};
  EXPECT_EQ(total_cpu_time(account), 17ms) << "its life without waiting, and its last steps";
  account.clock_known = true;
  EXPECT_EQ(total_cpu_time(account), 4ms);
  account.clock_known = false;
  account.waited.reset();
  EXPECT_EQ(total_cpu_time(account), 4ms);
}

TEST(TotalCpuTime, OfAProcessThatSlept) {
  EndingAccount account{1ms, 2ms, 1ms, 20ms, 4ms, false, true};
  EXPECT_EQ(total_cpu_time(account), 4ms);
  account.unaccounted = 100ms;
  EXPECT_EQ(total_cpu_time(account), 17ms) << "not longer than it lived";
  account.duration = 2ms;
  EXPECT_EQ(total_cpu_time(account), 2ms) << "at least the kernel's account";
}

TEST(TotalCpuTime, ThreadsRunAtTheSameTime) {
  EndingAccount account{50ms, 2ms, 1ms, 20ms, 4ms, true, false};
  EXPECT_EQ(total_cpu_time(account), 53ms);
}

}  // namespace
}  // namespace bpftrap
