// SPDX-License-Identifier: GPL-2.0-only
// The start of a trace if the kernel refuses threads, or what they ask for.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/supervised.h"

namespace e2e {
namespace {

class StartTest : public TracingTest {};

void require(bool success, const char* step) {
  if (!success) {
    throw Failure(step);
  }
}

// This process and its children cannot start threads from now on. glibc tries clone3() first.
void refuse_threads() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "cannot filter");
}

void expect_records(Bpftrap& bpftrap) {
  Ended process = run_workload({"exit", "3"});
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  bpftrap.record_of(process, "exec");
  EXPECT_EQ(bpftrap.record_of(process, "exit").number("exit_code"), 3U);
}

TEST_F(StartTest, WithoutThreads) {
  Bpftrap bpftrap({"exec", "--json"}, {.before_exec = refuse_threads});
  bpftrap.await_start();
  EXPECT_EQ(status_of(bpftrap.pid(), "Threads"), "1");
  expect_records(bpftrap);
}

TEST_F(StartTest, KernelRefusesWhatThreadsAskFor) {
  // The calls of all threads but the first.
  SupervisedBpftrap supervised({"exec", "--json"}, [](const seccomp_notif& call, pid_t bpftrap) {
    return call.pid != static_cast<std::uint32_t>(bpftrap) ? ENOMEM : 0;
  });
  Bpftrap& bpftrap = supervised.bpftrap();
  bpftrap.await_start();
  EXPECT_GE(supervised.refused(), 3U) << "ring buffer, programs of execs and of ends";
  expect_records(bpftrap);
  EXPECT_EQ(supervised.wait(), 0);
}

}  // namespace
}  // namespace e2e
