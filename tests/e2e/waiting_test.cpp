// SPDX-License-Identifier: GPL-2.0-only
// Time that threads waited for a CPU, compared with /proc, and if the parent slept at the end.
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

// Keeps this thread and the ones that it starts on one CPU.
void pin() {
  cpu_set_t all, one;
  CPU_ZERO(&all);
  CPU_ZERO(&one);
  ::sched_getaffinity(0, sizeof all, &all);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &all)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ::sched_setaffinity(0, sizeof one, &one);
}

void spin(std::chrono::nanoseconds time) {
  std::uint64_t end = boot_ns_now() + static_cast<std::uint64_t>(time.count());
  while (boot_ns_now() < end) {
  }
}

// The kernel's account of this thread: the second field of schedstat. Stores it, and when it was
// asked for, in two words.
void note_wait(SharedWords& words, std::size_t index) {
  // Before the account, because the thread may wait between the two.
  words[index + 1] = boot_ns_now();
  std::ifstream file("/proc/thread-self/schedstat");
  std::uint64_t run = 0, wait = 0;
  file >> run >> wait;
  words[index] = wait;
}

class WaitingTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    if (!IsSkipped() && ::access("/proc/self/schedstat", R_OK) != 0) {
      GTEST_SKIP() << "this kernel does not count how long tasks wait (CONFIG_SCHED_INFO)";
    }
  }

  // The record has at least the time that `count` threads noted, and at most the time that they
  // may have waited since.
  void expect_wait(const Record& exit, SharedWords& words, std::size_t count) {
    std::uint64_t least = 0, more = 0;
    for (std::size_t i = 0; i < 2 * count; i += 2) {
      least += words[i];
      more += exit.number("boot_ns") - words[i + 1];
    }
    EXPECT_GE(exit.number("cpu_wait_ns"), least);
    EXPECT_LE(exit.number("cpu_wait_ns"), least + more);
    EXPECT_GE(least, 20'000'000U) << "they shared a CPU";
  }
};

TEST_F(WaitingTest, OfTwoProcessesOnOneCpu) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words[2];
  std::vector<Child> children;
  for (SharedWords& own : words) {
    children.emplace_back([&own] {
      pin();
      spin(200ms);
      note_wait(own, 0);
      return 0;
    });
  }
  std::vector<Ended> ended{children[0].wait(), children[1].wait()};
  EXPECT_EQ(bpftrap.stop(), 0);
  for (int i = 0; i < 2; ++i) {
    expect_wait(bpftrap.record_of(ended[i], "exit"), words[i], 1);
  }
}

struct Thread {
  SharedWords* words;
  std::size_t index;
  std::chrono::nanoseconds time;
};

void* spin_and_note(void* argument) {
  auto* thread = static_cast<Thread*>(argument);
  spin(thread->time);
  note_wait(*thread->words, thread->index);
  return nullptr;
}

TEST_F(WaitingTest, OfAllThreads) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Ended process = Child([&] {
                    pin();
                    Thread threads[] = {{&words, 0, 60ms}, {&words, 2, 120ms}, {&words, 4, 120ms}};
                    pthread_t ids[3];
                    for (int i = 0; i < 3; ++i) {
                      ::pthread_create(&ids[i], nullptr, spin_and_note, &threads[i]);
                    }
                    for (pthread_t id : ids) {
                      ::pthread_join(id, nullptr);
                    }
                    note_wait(words, 6);
                    return 0;
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_wait(bpftrap.record_of(process, "exit"), words, 4);
}

class ParentTest : public TracingTest {
 protected:
  // Runs `parent` with the pid of its child, which ends after 100 ms, and returns parent_blocked of
  // that child.
  static bool blocked(void (*parent)(pid_t child)) {
    Bpftrap bpftrap({"exit", "--json"});
    bpftrap.await_start();
    Ended ended = Child([&] {
                    pid_t child = ::fork();
                    if (child == 0) {
                      sleep_for(100ms);
                      ::_exit(0);
                    }
                    parent(child);
                    return 0;
                  }).wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    for (const Record& record : bpftrap.records()) {
      if (record.has("ppid") && record.number("ppid") == static_cast<std::uint64_t>(ended.pid)) {
        return record.flag("parent_blocked");
      }
    }
    ADD_FAILURE() << "the child has no record";
    return false;
  }
};

TEST_F(ParentTest, ThatWaitsIsBlocked) {
  EXPECT_TRUE(blocked([](pid_t child) { ::waitpid(child, nullptr, 0); }));
}

TEST_F(ParentTest, ThatSleepsIsBlocked) {
  EXPECT_TRUE(blocked([](pid_t child) {
    for (int i = 0; i < 100 && ::waitpid(child, nullptr, WNOHANG) == 0; ++i) {
      sleep_for(400ms);
    }
  }));
}

TEST_F(ParentTest, ThatWorksIsNotBlocked) {
  EXPECT_FALSE(blocked([](pid_t child) {
    spin(300ms);
    ::waitpid(child, nullptr, 0);
  }));
}

void* fork_and_spin(void*) {
  pid_t child = ::fork();
  if (child == 0) {
    sleep_for(100ms);
    ::_exit(0);
  }
  spin(300ms);
  ::waitpid(child, nullptr, 0);
  return nullptr;
}

TEST_F(ParentTest, IsTheThreadThatForked) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended ended = Child([] {
                  pthread_t thread{};
                  ::pthread_create(&thread, nullptr, fork_and_spin, nullptr);
                  ::pthread_join(thread, nullptr);
                  return 0;
                }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  std::size_t children = 0;
  for (const Record& record : bpftrap.records()) {
    if (record.has("ppid") && record.number("ppid") == static_cast<std::uint64_t>(ended.pid)) {
      ++children;
      EXPECT_FALSE(record.flag("parent_blocked")) << "only its leader sleeps";
    }
  }
  EXPECT_EQ(children, 1U);
}

}  // namespace
}  // namespace e2e
