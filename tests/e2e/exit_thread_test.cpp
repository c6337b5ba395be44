// SPDX-License-Identifier: GPL-2.0-only
// One `exit` record per process, at its true end, in whatever order its threads end.
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using ExitThreadTest = TracingTest;

// Ends only the calling thread, without the cleanup of pthread_exit().
[[noreturn]] void end_thread(int code) {
  for (;;) {
    ::syscall(SYS_exit, code);
  }
}

void start_thread(void* (*run)(void*)) {
  pthread_t thread{};
  pthread_attr_t small{};
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, 64 << 10);
  if (::pthread_create(&thread, &small, run, nullptr) != 0) {
    ::_exit(126);
  }
  ::pthread_attr_destroy(&small);
}

void* pause_forever(void*) {
  for (;;) {
    ::pause();
  }
}

// Returns the record, after comparing its exit code with wait4(). If the threads end one by one,
// the kernel's version decides which thread's code that is.
Record exit_of(const std::function<int()>& body) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended process = Child(body).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_TRUE(WIFEXITED(process.status));
  Record exit = bpftrap.record_of(process, "exit");
  EXPECT_EQ(exit.maybe_number("exit_code"),
            static_cast<std::uint64_t>(WEXITSTATUS(process.status)));
  EXPECT_TRUE(exit.is_null("signal"));
  EXPECT_LE(exit.number("boot_ns"), process.after_end);
  return exit;
}

constexpr std::uint64_t work_ns = 150'000'000;

void work_as_other() {
  ::prctl(PR_SET_NAME, "other");
  sleep_for(std::chrono::nanoseconds(work_ns));
}

TEST_F(ExitThreadTest, LeaderFirstThenExitGroup) {
  Record exit = exit_of([] {
    ::prctl(PR_SET_NAME, "leader");
    start_thread([](void*) -> void* {
      work_as_other();
      ::_exit(5);
    });
    end_thread(9);
    return 0;
  });
  EXPECT_EQ(exit.number("exit_code"), 5U);
  EXPECT_GE(exit.number("duration_ns"), work_ns);
  EXPECT_EQ(exit.text("comm"), "leader");
}

TEST_F(ExitThreadTest, LeaderFirstThenTheLastThread) {
  Record exit = exit_of([] {
    ::prctl(PR_SET_NAME, "leader");
    start_thread([](void*) -> void* {
      work_as_other();
      end_thread(5);
    });
    end_thread(9);
    return 0;
  });
  EXPECT_GE(exit.number("duration_ns"), work_ns);
  EXPECT_EQ(exit.text("comm"), "leader");
}

TEST_F(ExitThreadTest, ExitGroupFromAThread) {
  Record exit = exit_of([] {
    ::prctl(PR_SET_NAME, "leader");
    for (int i = 0; i < 5; ++i) {
      start_thread(pause_forever);
    }
    start_thread([](void*) -> void* {
      work_as_other();
      ::_exit(42);
    });
    pause_forever(nullptr);
    return 0;
  });
  EXPECT_EQ(exit.number("exit_code"), 42U);
  EXPECT_EQ(exit.text("comm"), "leader");
}

constexpr int many = 64;
pthread_barrier_t all_are_there;

// The threads sleep at the barrier. If they spun, a slow machine could not start the others.
void* end_with_all_others(void*) {
  ::pthread_barrier_wait(&all_are_there);
  end_thread(0);
}

TEST_F(ExitThreadTest, ManyThreadsAtTheSameInstant) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> processes;
  processes.reserve(30);
  for (int i = 0; i < 30; ++i) {
    processes.push_back(Child([] {
                          ::pthread_barrier_init(&all_are_there, nullptr, many);
                          for (int thread = 1; thread < many; ++thread) {
                            start_thread(end_with_all_others);
                          }
                          end_with_all_others(nullptr);
                          return 1;
                        }).wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : processes) {
    EXPECT_EQ(process.status, 0);
    EXPECT_EQ(bpftrap.record_of(process, "exit").number("exit_code"), 0U);
  }
}

TEST_F(ExitThreadTest, ThreadThatEndsIsNoProcessThatEnds) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Gate gate;
  Child child([&] {
    for (int i = 0; i < 8; ++i) {
      start_thread([](void*) -> void* { end_thread(1); });
    }
    gate.wait();
    return 0;
  });
  sleep_for(std::chrono::milliseconds(100));
  bpftrap.keep_reading(std::chrono::milliseconds(100));
  for (const Record& record : bpftrap.records()) {
    EXPECT_FALSE(record.has("pid") &&
                 record.number("ppid") == static_cast<std::uint64_t>(::getpid()));
  }
  gate.open();
  Ended process = child.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(process).size(), 1U);
}

}  // namespace
}  // namespace e2e
