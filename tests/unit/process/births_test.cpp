// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/births.h"

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

TEST(Births, ForgetsThoseThatHaveEnded) {
  Births births;
  ProcessId parent{1, 10}, child{2, 20}, again{2, 30};
  births.forked(process_of(parent));
  births.forked(process_of(child));
  births.ended(child);
  births.ended(child);
  births.forked(process_of(again));
  births.ended(child);
  EXPECT_EQ(births.size(), 2U) << "the pid is the same, the process is not";
  births.ended(again);
  births.ended(parent);
  EXPECT_EQ(births.size(), 0U);
}

TEST(Births, KeepsNoneOfProcessesWhoseEndsAreNeverTold) {
  Births births;
  ProcessId self{static_cast<Pid>(::getpid()), 10}, child{4194304, 20}, grandchild{4194305, 30};
  births.forked(process_of(self));
  births.forked(process_of(child));
  births.mark_dead();
  // This fork was still unread in the ring buffer.
  births.forked(process_of(grandchild));
  births.forget_dead();
  EXPECT_EQ(births.size(), 2U) << "the child is gone";
  births.mark_dead();
  births.forget_dead();
  EXPECT_EQ(births.size(), 1U);
  EXPECT_FALSE(births.wants_sweep());
  for (Pid i = 0; i <= Sweep<Pid>::least; ++i) {
    Process outside = process_of({4194304 + i, 1});
    outside.local_pid = 0;
    births.forked(outside);
  }
  EXPECT_TRUE(births.wants_sweep());
}

// bpftrap cannot ask for a process outside its pid namespace.
TEST(Births, KeepsOneProcessPerPidOutsideItsNamespace) {
  Births births;
  Process outside = process_of({4194304, 10});
  outside.local_pid = 0;
  for (std::uint64_t start : {30U, 10U, 20U}) {
    outside.id.start_ns = start;
    births.forked(outside);
  }
  outside.id = {4194303, 10};
  births.forked(outside);
  births.mark_dead();
  births.forget_dead();
  EXPECT_EQ(births.size(), 2U);
  births.ended({4194304, 30});
  EXPECT_EQ(births.size(), 1U) << "the latest one was left";
}

}  // namespace
}  // namespace bpftrap
