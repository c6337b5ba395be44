// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/descent.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace bpftrap {
namespace {

// In the initial pid namespace.
Process process_of(ProcessId id) {
  Process process;
  process.id = id;
  process.local_pid = id.pid;
  return process;
}

ForkRecord fork_of(ProcessId child, ProcessId parent) {
  return {{}, process_of(child), true, {}, parent};
}

TEST(Descent, DepthIsCountedFromTheFirstThatWasSeen) {
  Descent descent;
  ProcessId shell{1, 10}, make{2, 20}, subshell{3, 30}, compiler{4, 40}, other{5, 50};
  descent.forked(fork_of(make, shell));
  EXPECT_EQ(descent.executed(process_of(make)), 0U) << "the shell's parent was not seen";
  descent.forked(fork_of(subshell, make));
  descent.forked(fork_of(compiler, subshell));
  EXPECT_EQ(descent.executed(process_of(compiler)), 2U) << "the subshell is a level, as in ps f";
  EXPECT_EQ(descent.ended(subshell), 1U);
  EXPECT_EQ(descent.executed(process_of(compiler)), 2U) << "a new parent does not change the level";
  EXPECT_EQ(descent.executed(process_of(other)), 0U);
}

TEST(Descent, ForgetsWhoHasEnded) {
  Descent descent;
  ProcessId parent{1, 10}, child{2, 20}, again{2, 30};
  EXPECT_EQ(descent.executed(process_of(parent)), 0U);
  descent.forked(fork_of(child, parent));
  EXPECT_EQ(descent.ended(child), 1U);
  EXPECT_EQ(descent.ended(child), 0U);
  EXPECT_EQ(descent.executed(process_of(again)), 0U) << "the pid is the same, the process is not";
  descent.ended(again);
  descent.ended(parent);
  EXPECT_EQ(descent.size(), 0U);
}

TEST(Descent, KeepsNoneOfProcessesWhoseEndsAreNeverTold) {
  Descent descent;
  ProcessId self{static_cast<Pid>(::getpid()), 10}, child{4194304, 20}, grandchild{4194305, 30};
  descent.executed(process_of(self));
  descent.forked(fork_of(child, self));
  descent.mark_dead();
  // This fork was still unread in the ring buffer.
  descent.forked(fork_of(grandchild, child));
  EXPECT_EQ(descent.executed(process_of(grandchild)), 2U);
  descent.forget_dead();
  EXPECT_EQ(descent.size(), 2U) << "the child is gone";
  descent.mark_dead();
  descent.forget_dead();
  EXPECT_EQ(descent.size(), 1U);
  EXPECT_FALSE(descent.wants_sweep());
  for (Pid i = 0; i <= Sweep<Pid>::least; ++i) {
    ForkRecord outside = fork_of({4194304 + i, 1}, self);
    outside.process.local_pid = 0;
    descent.forked(outside);
  }
  EXPECT_TRUE(descent.wants_sweep());
}

// bpftrap cannot ask for a process outside its pid namespace.
TEST(Descent, KeepsOneProcessPerPidOutsideItsNamespace) {
  Descent descent;
  Process outside = process_of({4194304, 10});
  outside.local_pid = 0;
  for (std::uint64_t start : {30U, 10U, 20U}) {
    outside.id.start_ns = start;
    descent.executed(outside);
  }
  outside.id = {4194303, 10};
  descent.executed(outside);
  descent.mark_dead();
  descent.forget_dead();
  EXPECT_EQ(descent.size(), 2U);
  outside.id = {4194304, 30};
  descent.forked(fork_of({1, 40}, outside.id));
  EXPECT_EQ(descent.ended({1, 40}), 1U) << "the latest one is left";
}

}  // namespace
}  // namespace bpftrap
