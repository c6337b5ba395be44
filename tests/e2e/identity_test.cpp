// SPDX-License-Identifier: GPL-2.0-only
// A record is about one process, whatever its threads do, and even if its pid is used again.
#include <linux/sched.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using IdentityTest = TracingTest;

// A child with a chosen pid (clone3() with set_tid, since 5.5).
pid_t fork_with_pid(pid_t wanted, int exit_code) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<std::uint64_t>(&wanted);
  args.set_tid_size = 1;
  auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid == 0) {
    ::_exit(exit_code);
  }
  return pid;
}

TEST_F(IdentityTest, APidThatIsUsedAgainIsAnotherProcess) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended first;
  pid_t again = -1;
  for (int attempt = 0; attempt < 20 && again <= 0; ++attempt) {
    first = Child([] { return exec_self({"exit", "1"}); }).wait();
    again = fork_with_pid(first.pid, 2);  // fails if a stranger took the number
  }
  if (again != first.pid) {
    EXPECT_EQ(bpftrap.stop(), 0);
    GTEST_SKIP() << "cannot choose a pid (CAP_CHECKPOINT_RESTORE), or the pid is in use";
  }
  int status = 0;
  ASSERT_EQ(::waitpid(again, &status, 0), again);
  EXPECT_EQ(bpftrap.stop(), 0);
  std::vector<Record> records;
  for (const Record& record : bpftrap.records()) {
    if (record.has("pid") && record.number("pid") == static_cast<std::uint64_t>(first.pid)) {
      records.push_back(record);
    }
  }
  ASSERT_EQ(records.size(), 2U);
  EXPECT_NE(records[0].text("id"), records[1].text("id"));
  EXPECT_EQ(records[0].maybe_number("exit_code"), 1U);
  EXPECT_FALSE(records[0].is_null("args"));
  EXPECT_EQ(records[1].maybe_number("exit_code"), 2U);
  EXPECT_TRUE(records[1].is_null("args")) << "the first process's command line is not the second's";
}

void* be_named_worker(void*) {
  ::prctl(PR_SET_NAME, "worker");
  sleep_for(50ms);
  ::syscall(SYS_exit, 0);
  return nullptr;
}

TEST_F(IdentityTest, NameIsTheLeadersEvenIfAnotherThreadIsTheLast) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended process = Child([] {
                    pthread_t thread{};
                    ::prctl(PR_SET_NAME, "leader");
                    ::pthread_create(&thread, nullptr, be_named_worker, nullptr);
                    ::syscall(SYS_exit, 9);
                    return 0;
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record record = bpftrap.record_of(process, "exit");
  EXPECT_EQ(record.text("comm"), "leader");
  EXPECT_EQ(record.maybe_number("exit_code"), WEXITSTATUS(process.status));
  EXPECT_GE(record.number("duration_ns"), 50'000'000U);
}

TEST_F(IdentityTest, ParentIsTheRealOneAlsoAfterItsDeath) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Gate gate;
  Ended parent = Child([&] {
                   pid_t orphan = ::fork();
                   if (orphan == 0) {
                     gate.wait();
                     ::_exit(0);
                   }
                   words[0] = static_cast<std::uint64_t>(orphan);
                   return 0;
                 }).wait();
  gate.open();
  std::uint64_t orphan = words[0];
  bpftrap.await([&] {
    for (const Record& record : bpftrap.records()) {
      if (record.has("pid") && record.number("pid") == orphan) {
        return true;
      }
    }
    return false;
  });
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Record& record : bpftrap.records()) {
    if (record.has("pid") && record.number("pid") == orphan) {
      EXPECT_NE(record.number("ppid"), static_cast<std::uint64_t>(parent.pid))
          << "its parent died, so a reaper is its parent now";
      EXPECT_NE(record.number("ppid"), 0U);
    }
  }
}

}  // namespace
}  // namespace e2e
