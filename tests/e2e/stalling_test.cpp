// SPDX-License-Identifier: GPL-2.0-only
// Nobody makes bpftrap wait: neither a process that it reads about, nor the reader of its messages
// or of its records.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/stuck_memory.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;
using WaitingTest = TracingTest;

// A signal ends bpftrap within this time.
constexpr std::uint64_t bound = 10'000'000'000;

std::size_t threads_of(pid_t pid) {
  for (const std::string& line : lines_of_file("/proc/" + std::to_string(pid) + "/status")) {
    if (line.rfind("Threads:\t", 0) == 0) {
      return std::stoul(line.substr(9));
    }
  }
  return 0;
}

// True if reading this file takes longer than half a second.
bool makes_wait(const std::string& path) {
  Child reader([&] {
    lines_of_file(path);
    return 0;
  });
  sleep_for(500ms);
  return threads_of(reader.pid()) != 0 &&
         !lines_of_file("/proc/" + std::to_string(reader.pid()) + "/cmdline").empty();
}

// bpftrap reports ends, knows older command lines and obeys a signal.
void expect_to_go_on(const Words& command, std::size_t threads_left) {
  SCOPED_TRACE(testing::PrintToString(command));
  Child older([] { return exec_self({"pause"}); });
  sleep_for(100ms);
  Bpftrap bpftrap(command);
  bpftrap.await_start();
  for (int i = 0; i < 10'000 && threads_of(bpftrap.pid()) > threads_left; ++i) {
    sleep_for(1ms);
  }
  Ended process = run_workload({"sleep", "20"});
  bpftrap.await([&] { return !bpftrap.records_of(process, "exit").empty(); });
  older.kill(SIGKILL);
  Ended ended = older.wait();
  bpftrap.await([&] { return !bpftrap.records_of(ended, "exit").empty(); });
  EXPECT_EQ(bpftrap.record_of(ended, "exit").strings("args"),
            (Words{self_path(), "--workload", "pause"}));
  std::uint64_t asked = boot_ns_now();
  EXPECT_EQ(bpftrap.stop(SIGTERM), 0) << bpftrap.errors();
  EXPECT_LE(boot_ns_now() - asked, bound);
}

TEST_F(WaitingTest, APageThatNeverArrivesIsNotRead) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount FUSE";
  }
  StuckMemory stuck("page");
  if (!stuck.missing().empty()) {
    GTEST_SKIP() << stuck.missing();
  }
  EXPECT_FALSE(makes_wait("/proc/" + std::to_string(stuck.pid()) + "/cmdline"));
  expect_to_go_on({"exit", "--json"}, 1);
  expect_to_go_on({"exec", "--json", "--min-duration", "10ms"}, 1);
}

TEST_F(WaitingTest, AProcessThatLocksItsMemoryHoldsNobodyUp) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount FUSE";
  }
  StuckMemory stuck("lock");
  if (!stuck.missing().empty()) {
    GTEST_SKIP() << stuck.missing();
  }
  if (!makes_wait("/proc/" + std::to_string(stuck.pid()) + "/cmdline")) {
    GTEST_SKIP() << "on this kernel no process can hold up who reads its command line";
  }
  expect_to_go_on({"exit", "--json"}, 2);
}

}  // namespace
}  // namespace e2e
