// SPDX-License-Identifier: GPL-2.0-only
// What is lost when the ring buffer is too small, and what is not.
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/tiny_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

class LossTest : public TinyProgramTest {
 protected:
  // A process of the user that bpftrap traces.
  Ended run_as_storm(const Words& argv) {
    return Child([&] {
             become_storm();
             return exec_argv(tiny_, argv);
           })
        .wait();
  }
  static void become_storm() {
    [[maybe_unused]] int failed = ::setresuid(storm_uid, storm_uid, storm_uid);
  }
  // Stops bpftrap, so that nobody reads the ring buffer during `work`.
  static void while_it_stands(const Bpftrap& bpftrap, const std::function<void()>& work) {
    ::kill(bpftrap.pid(), SIGSTOP);
    sleep_for(50ms);
    work();
    ::kill(bpftrap.pid(), SIGCONT);
  }
  static std::uint64_t lost(const Bpftrap& bpftrap) {
    return bpftrap.records().back().number("lost");
  }
};

TEST_F(LossTest, EndsOfOlderProcessesAreNotLostBecauseTheyAreNotPrinted) {
  Gate gate;
  std::vector<std::unique_ptr<Child>> older;
  constexpr int ends = 150;  // the buffer holds some 30
  older.reserve(ends);
  for (int i = 0; i < ends; ++i) {
    older.push_back(std::make_unique<Child>([] {
      become_storm();
      return exec_argv(self_path(), {self_path()}, "pause");
    }));
  }
  Child executing([&] {
    become_storm();
    gate.wait();
    return exec_argv(tiny_, {"tiny"});
  });
  sleep_for(100ms);
  // An older process that executed a program before the trace, and no other since.
  Child executed([&] {
    become_storm();
    return exec_argv(self_path(), {self_path()}, "sleep-2s");
  });
  sleep_for(200ms);
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--buffer-size", "8K"});
  bpftrap.await_start();
  while_it_stands(bpftrap, [&] {
    for (auto& child : older) {  // one by one: a kernel since 7.0 may miss some of many at once
      child->kill(SIGKILL);
      child->wait();
    }
    gate.open();
  });
  Ended process = executing.wait();
  bpftrap.await([&] { return bpftrap.records_of(process).size() == 2; });
  Ended other = executed.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(lost(bpftrap), 0U);
  EXPECT_EQ(bpftrap.records_of(other).size(), 0U);
}

TEST_F(LossTest, LongCommandLinesLeaveRoomForShortOnesAndForEnds) {
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--buffer-size", "1M"},
                  {.may_lose = true});
  bpftrap.await_start();
  const Words flood{"tiny", std::string(32'000, '\x01')};
  std::vector<Ended> longs, shorts;
  while_it_stands(bpftrap, [&] {
    for (int i = 0; i < 60; ++i) {  // 60 times 45 KiB are more than twice the buffer
      longs.push_back(run_as_storm(flood));
    }
    for (int i = 0; i < 100; ++i) {
      shorts.push_back(run_as_storm({"tiny", "short"}));
    }
  });
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : shorts) {
    EXPECT_EQ(bpftrap.records_of(process).size(), 2U);
  }
  std::uint64_t execs = 0;
  for (const Ended& process : longs) {
    bool reported = !bpftrap.records_of(process, "exec").empty();
    execs += reported ? 1 : 0;
    Record exit = bpftrap.record_of(process, "exit");
    ASSERT_NE(exit.is_null("args"), reported) << "as the exec record";
    if (reported) {
      EXPECT_EQ(exit.strings("args").back().size(), 32'000U);
    }
  }
  EXPECT_GE(execs, 10U) << "half of the buffer";
  EXPECT_LE(execs, 16U);
  EXPECT_EQ(lost(bpftrap), longs.size() - execs);
}

TEST_F(LossTest, FailedExecsAreLostFirst) {
  Bpftrap bpftrap(
      {"exec", "--json", "--event", "+failed", "--user", storm_user, "--buffer-size", "1M"},
      {.may_lose = true});
  bpftrap.await_start();
  constexpr std::uint64_t tries = 2000;
  std::vector<Ended> longs;
  while_it_stands(bpftrap, [&] {
    Child([&] {
      become_storm();
      for (std::uint64_t i = 0; i < tries; ++i) {
        exec_argv("/nonexistent", {"x"});
      }
      return 0;
    }).wait();
    for (int i = 0; i < 5; ++i) {  // together less than a quarter of the buffer
      longs.push_back(run_as_storm({"tiny", std::string(32'000, 'x')}));
    }
  });
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : longs) {
    EXPECT_EQ(bpftrap.records_of(process).size(), 2U);
    EXPECT_EQ(bpftrap.record_of(process, "exit").strings("args").back().size(), 32'000U);
  }
  std::uint64_t failed = 0;
  for (const Record& record : bpftrap.records()) {
    failed += record.kind() == "exec" && !record.is_null("errno") ? 1 : 0;
  }
  // They fill a quarter of the buffer, with 1 to 4 KiB each.
  EXPECT_GT(failed, 256U / 4);
  EXPECT_LT(failed, 256U);
  EXPECT_EQ(lost(bpftrap), tries - failed);
}

TEST_F(LossTest, LostExecsThatOnlyEndsNeedAreNotCounted) {
  Bpftrap bpftrap({"exec", "--json", "--failed", "--user", storm_user, "--buffer-size", "256K"});
  bpftrap.await_start();
  std::vector<Ended> processes;
  while_it_stands(bpftrap, [&] {
    for (int i = 0; i < 20; ++i) {  // they take twice the buffer
      processes.push_back(run_as_storm({"tiny", std::string(32'000, 'x')}));
    }
  });
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(lost(bpftrap), 0U);
  std::size_t whole = 0;
  for (const Ended& process : processes) {  // with status 7
    Record exit = bpftrap.record_of(process, "exit");
    whole += exit.is_null("args") ? 0 : 1;
    EXPECT_TRUE(exit.is_null("args") || exit.strings("args").back().size() == 32'000U);
  }
  EXPECT_GE(whole, 2U) << "half of the buffer";
  EXPECT_LT(whole, processes.size());
}

}  // namespace
}  // namespace e2e
