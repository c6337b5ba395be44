// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/descent.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace bpftrap {
namespace {

TEST(Descent, DepthIsCountedFromTheFirstThatWasSeen) {
  Descent descent;
  ProcessId shell{1, 10}, make{2, 20}, subshell{3, 30}, compiler{4, 40}, other{5, 50};
  descent.forked({make, shell});
  EXPECT_EQ(descent.executed(make), 0U) << "the shell's parent was not seen";
  descent.forked({subshell, make});
  descent.forked({compiler, subshell});
  EXPECT_EQ(descent.executed(compiler), 2U) << "the subshell is a level, as in ps f";
  EXPECT_EQ(descent.ended(subshell), 1U);
  EXPECT_EQ(descent.executed(compiler), 2U) << "a new parent does not change the level";
  EXPECT_EQ(descent.executed(other), 0U);
}

TEST(Descent, ForgetsWhoHasEnded) {
  Descent descent;
  ProcessId parent{1, 10}, child{2, 20}, again{2, 30};
  EXPECT_EQ(descent.executed(parent), 0U);
  descent.forked({child, parent});
  EXPECT_EQ(descent.ended(child), 1U);
  EXPECT_EQ(descent.ended(child), 0U);
  EXPECT_EQ(descent.executed(again), 0U) << "the pid is the same, the process is not";
  descent.ended(again);
  descent.ended(parent);
  EXPECT_EQ(descent.size(), 0U);
}

TEST(Descent, KeepsNoneOfProcessesWhoseEndsAreNeverTold) {
  Descent descent;
  ProcessId self{static_cast<Pid>(::getpid()), 10}, child{4194304, 20}, grandchild{4194305, 30};
  descent.executed(self);
  descent.forked({child, self});
  descent.mark_dead();
  // This fork was still unread in the ring buffer.
  descent.forked({grandchild, child});
  EXPECT_EQ(descent.executed(grandchild), 2U);
  descent.forget_dead();
  EXPECT_EQ(descent.size(), 2U) << "the child is gone";
  descent.mark_dead();
  descent.forget_dead();
  EXPECT_EQ(descent.size(), 1U);
  EXPECT_FALSE(descent.wants_sweep());
  for (Pid i = 0; i <= Sweep<Pid>::least; ++i) {
    descent.forked({{4194304 + i, 1}, self});
  }
  EXPECT_TRUE(descent.wants_sweep());
}

}  // namespace
}  // namespace bpftrap
