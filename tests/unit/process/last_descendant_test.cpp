// SPDX-License-Identifier: GPL-2.0-only
// The end of --wait-all, with counters that the test sets.
#include "core/process/last_descendant.h"

#include <gtest/gtest.h>

#include <map>

#include "bpf/process.event.h"

namespace bpftrap {
namespace {

class LastDescendantTest : public testing::Test {
 protected:
  // Programs 10 and 11 are the two copies for ends.
  LostCounter counter() {
    return LostCounter({1,
                        [this](bpftrap_lost* per_cpu) {
                          *per_cpu = lost_;
                          return true;
                        }},
                       RecursionMisses({{BPFTRAP_RECORD_EXIT, 10, 11}},
                                       [this](int program) { return missed_[program]; }));
  }
  void miss_ends(std::uint64_t count) { missed_ = {{10, count}, {11, count}}; }
  void sweep() {
    last_.mark_dead();
    last_.forget_dead();
  }

  std::uint64_t followed_ = 1;
  std::size_t born_ = 1;
  bpftrap_lost lost_{};
  std::map<int, std::uint64_t> missed_;
  LastDescendant last_{{[this] { return followed_; }, [this] { return born_; }}, counter()};
};

TEST_F(LastDescendantTest, HasEndedWhenTheKernelCountsNone) {
  EXPECT_FALSE(last_.has_ended());
  EXPECT_FALSE(last_.wants_sweep()) << "nothing was missed";
  followed_ = 0;
  EXPECT_TRUE(last_.has_ended());
}

TEST_F(LastDescendantTest, EndsOfThreadsThatWereMissedEndNothing) {
  miss_ends(100);
  EXPECT_FALSE(last_.has_ended()) << "it lives";
  sweep();
  EXPECT_FALSE(last_.has_ended()) << "it lives";
  followed_ = 0;
  EXPECT_TRUE(last_.has_ended());
}

TEST_F(LastDescendantTest, AnEndThatWasMissedIsFoundByASweep) {
  miss_ends(1);
  EXPECT_FALSE(last_.has_ended());
  EXPECT_TRUE(last_.wants_sweep());
  last_.mark_dead();
  EXPECT_FALSE(last_.wants_sweep());
  EXPECT_FALSE(last_.has_ended()) << "the sweep has not finished";
  born_ = 0;
  last_.forget_dead();
  EXPECT_TRUE(last_.has_ended());
  followed_ = 2;
  EXPECT_FALSE(last_.has_ended()) << "one end was missed at the maximum";
}

TEST_F(LastDescendantTest, ASweepThatLeavesAProcessIsFollowedByAnother) {
  miss_ends(1);
  EXPECT_FALSE(last_.has_ended());
  sweep();
  EXPECT_FALSE(last_.wants_sweep()) << "has_ended() was not called again";
  EXPECT_FALSE(last_.has_ended());
  EXPECT_TRUE(last_.wants_sweep());
  born_ = 0;
  sweep();
  EXPECT_TRUE(last_.has_ended());
}

TEST_F(LastDescendantTest, ASweepFromBeforeTheQuestionIsNoAnswer) {
  miss_ends(1);
  born_ = 0;
  last_.mark_dead();
  EXPECT_FALSE(last_.has_ended());
  last_.forget_dead();
  EXPECT_FALSE(last_.has_ended()) << "PROGRAM may have forked in the meantime";
  EXPECT_TRUE(last_.wants_sweep());
  sweep();
  EXPECT_TRUE(last_.has_ended());
}

TEST_F(LastDescendantTest, WaitsWhereABirthWasLost) {
  miss_ends(1);
  born_ = 0;
  lost_.records[BPFTRAP_RECORD_FORK] = 1;
  EXPECT_FALSE(last_.has_ended());
  sweep();
  EXPECT_FALSE(last_.has_ended()) << "a process whose fork was lost may still live";
}

}  // namespace
}  // namespace bpftrap
