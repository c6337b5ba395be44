// SPDX-License-Identifier: GPL-2.0-only
// Completeness: bpftrap loses no record without need, and counts each lost one.
#include "e2e/storm.h"

#include <sys/wait.h>

#include <csignal>

#include "e2e/tiny_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class StormTest : public TinyProgramTest {
 protected:
  struct Seen {
    std::uint64_t execs = 0;
    std::uint64_t exits = 0;
    std::uint64_t wrong = 0;
    std::uint64_t lost = 0;
  };

  // The records are only those of the storm, because no other process has its user.
  Seen seen(const Bpftrap& bpftrap) {
    Seen seen;
    for (const Record& record : bpftrap.records()) {
      std::string kind = record.kind();
      if (kind == "exec") {
        ++seen.execs;
        seen.wrong += record.text("filename") != tiny_ ? 1 : 0;
      } else if (kind == "exit") {
        ++seen.exits;
        seen.wrong += record.maybe_number("exit_code") != 7U ? 1 : 0;
      } else if (kind == "lost") {
        seen.lost += record.number("count");
      }
    }
    return seen;
  }
};

TEST_F(StormTest, TwentyThousandProcessesLoseNothing) {
  constexpr std::uint64_t processes = 20'000;
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--output", directory_ / "records"});
  for (int i = 0; i < 600 && lines_of_file(directory_ / "records").empty(); ++i) {
    sleep_for(100ms);  // until tracing is live
  }
  Storm storm = make_storm(processes, tiny_);
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(storm.started, processes);
  ASSERT_EQ(storm.wrong_status, 0U);
  // Counts lines, because parsing all of them takes longer than the storm.
  std::uint64_t execs = 0, exits = 0;
  std::string last;
  for (const std::string& line : lines_of_file(directory_ / "records")) {
    execs += line.starts_with(R"({"event":"exec")") ? 1 : 0;
    exits += line.starts_with(R"({"event":"exit")") ? 1 : 0;
    last = line;
  }
  EXPECT_EQ(execs, processes);
  EXPECT_EQ(exits, processes);
  EXPECT_EQ(Record::parse(last).number("lost"), 0U);
}

TEST_F(StormTest, WhatOverflowsIsCountedExactly) {
  constexpr std::uint64_t processes = 3'000;
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--buffer-size", "64K"},
                  {.may_lose = true});
  bpftrap.await_start();
  // Stops bpftrap, so that the last events of the storm are among the lost ones.
  ::kill(bpftrap.pid(), SIGSTOP);
  Storm storm = make_storm(processes, tiny_);
  ::kill(bpftrap.pid(), SIGCONT);
  EXPECT_EQ(bpftrap.stop(), 0);
  Seen all = seen(bpftrap);
  ASSERT_EQ(storm.started, processes);
  EXPECT_GT(all.lost, 0U) << "the test must make bpftrap lose records";
  EXPECT_GT(all.execs + all.exits, 0U);
  EXPECT_EQ(all.execs + all.exits + all.lost, 2 * processes);
  EXPECT_EQ(all.wrong, 0U);
}

TEST_F(StormTest, LossesAreSaidWithinASecond) {
  Bpftrap bpftrap({"exit", "--json", "--user", storm_user, "--buffer-size", "8K"},
                  {.may_lose = true});
  bpftrap.await_start();
  ::kill(bpftrap.pid(), SIGSTOP);
  make_storm(200, tiny_);
  ::kill(bpftrap.pid(), SIGCONT);
  std::uint64_t since = wall_ns_now();
  bpftrap.await([&] { return seen(bpftrap).lost > 0; });
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "lost") {
      EXPECT_LE(wall_ns_of(record), since + 1'500'000'000)
          << "one second, plus slack for a busy machine";
      break;
    }
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  Seen all = seen(bpftrap);
  EXPECT_EQ(all.exits + all.lost, 200U);
}

TEST_F(StormTest, StoppedForAWhileItLosesNothing) {
  Bpftrap bpftrap({"exit", "--json", "--user", storm_user});
  bpftrap.await_start();
  for (int i = 0; i < 5; ++i) {
    ::kill(bpftrap.pid(), SIGSTOP);
    make_storm(200, tiny_);
    ::kill(bpftrap.pid(), SIGCONT);
    sleep_for(20ms);
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  Seen all = seen(bpftrap);
  EXPECT_EQ(all.exits, 1000U);
  EXPECT_EQ(all.wrong, 0U);
}

TEST_F(StormTest, ReaderThatStallsForTenSecondsLosesNothing) {
  constexpr std::uint64_t processes = 10'000;
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user});
  bpftrap.await_start();
  std::uint64_t begin = boot_ns_now();
  // A thousand processes per second, while the test reads nothing.
  for (int second = 0; second < 10; ++second) {
    Storm storm = make_storm(processes / 10, tiny_, 5);
    ASSERT_EQ(storm.started, processes / 10);
    std::uint64_t end = begin + static_cast<std::uint64_t>(second + 1) * 1'000'000'000;
    if (std::uint64_t now = boot_ns_now(); now < end) {
      sleep_for(std::chrono::nanoseconds(end - now));
    }
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  Seen all = seen(bpftrap);
  EXPECT_EQ(all.execs, processes);
  EXPECT_EQ(all.exits, processes);
  EXPECT_EQ(all.wrong, 0U);
}

}  // namespace
}  // namespace e2e
