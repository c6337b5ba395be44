// SPDX-License-Identifier: GPL-2.0-only
// Lost records and recursion misses, from counters that the test sets.
#include "core/bpf/lost_counter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "bpf/process.event.h"
#include "bpf/scope.h"

namespace bpftrap {
namespace {

constexpr std::size_t execs = BPFTRAP_RECORD_EXEC, exits = BPFTRAP_RECORD_EXIT;

class LostCounterTest : public testing::Test {
 protected:
  // Programs 10 and 11 are the two copies for ends. Program 20 has no copy.
  LostCounter counter() {
    return LostCounter({per_cpu_.size(),
                        [this](bpftrap_lost* per_cpu) {
                          std::copy(per_cpu_.begin(), per_cpu_.end(), per_cpu);
                          return answers_;
                        }},
                       RecursionMisses({{exits, 10, 11}, {execs, 20, -1}},
                                       [this](int program) { return missed_[program]; }));
  }

  std::vector<bpftrap_lost> per_cpu_{3};
  std::map<int, std::uint64_t> missed_;
  bool answers_ = true;
};

TEST_F(LostCounterTest, AddsUpWhatEachCpuCounted) {
  per_cpu_[0].records[exits] = 1;
  per_cpu_[2].records[exits] = 10;
  per_cpu_[1].records[execs] = 100;
  LostCounter counter = this->counter();
  EXPECT_EQ(counter.read().records[exits], 11U);
  EXPECT_EQ(counter.read().records[execs], 100U);
  EXPECT_EQ(counter.unseen(exits), 0U);
}

TEST_F(LostCounterTest, UnseenIsWhatBothCopiesMissed) {
  missed_ = {{10, 7}, {11, 5}};
  per_cpu_[0].rescued[exits] = 2;
  per_cpu_[1].rescued[exits] = 2;
  LostCounter counter = this->counter();
  EXPECT_EQ(counter.unseen(exits), 3U) << "the first copy missed 7, the second saw 4 of them";
  missed_[11] = 1;
  EXPECT_EQ(counter.unseen(exits), 1U) << "the second copy missed no more";
  missed_[11] = 0;
  EXPECT_EQ(counter.unseen(exits), 0U);
  missed_ = {{10, 3}, {11, 5}};
  EXPECT_EQ(counter.unseen(exits), 0U) << "the two counters are not read at the same instant";
}

TEST_F(LostCounterTest, UnseenOfAProgramWithoutACopyIsWhatItMissed) {
  missed_ = {{20, 7}};
  EXPECT_EQ(counter().unseen(execs), 7U);
  EXPECT_EQ(counter().unseen(exits), 0U);
  EXPECT_EQ(counter().unseen(BPFTRAP_KIND_MARK), 0U) << "no program counts here";
}

TEST_F(LostCounterTest, ReadCountsTheUnseenAsRecords) {
  missed_ = {{10, 7}, {11, 5}, {20, 2}};
  per_cpu_[0].records[exits] = 30;
  per_cpu_[1].rescued[exits] = 4;
  LostCounter counter = this->counter();
  EXPECT_EQ(counter.read().records[exits], 33U);
  EXPECT_EQ(counter.read().records[exits], 33U) << "the same when read again";
  EXPECT_EQ(counter.read().records[execs], 2U);
  EXPECT_EQ(counter.read().rescued[exits], 4U);
}

TEST_F(LostCounterTest, SaysWhatItKnewWhereTheKernelDoesNotAnswer) {
  per_cpu_[0].records[exits] = 1;
  LostCounter counter = this->counter();
  EXPECT_EQ(counter.read().records[exits], 1U);
  answers_ = false;
  per_cpu_[0].records[exits] = 2;
  EXPECT_FALSE(counter.readable());
  EXPECT_EQ(counter.read().records[exits], 1U);
}

}  // namespace
}  // namespace bpftrap
