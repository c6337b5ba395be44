// SPDX-License-Identifier: GPL-2.0-only
// Processes that `exec` reports, their identity, and the order of records.
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using ExecTest = TracingTest;

TEST_F(ExecTest, ProcessIsNamedByPidAndStart) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = run_workload({"exit", "7"});
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Record& record : bpftrap.records_of(process)) {
    EXPECT_GE(record.start_ns(), process.before_fork);
    EXPECT_LE(record.start_ns(), process.after_fork);
    EXPECT_EQ(record.number("ppid"), static_cast<std::uint64_t>(::getpid()));
    EXPECT_EQ(record.number("uid"), ::getuid());
    EXPECT_EQ(record.number("gid"), ::getgid());
  }
  std::string name = self_path().substr(self_path().rfind('/') + 1).substr(0, 15);
  EXPECT_EQ(bpftrap.record_of(process, "exec").text("comm"), name);
  EXPECT_EQ(bpftrap.record_of(process, "exit").text("comm"), name);
  EXPECT_EQ(bpftrap.record_of(process, "exit").number("exit_code"), 7U);
}

TEST_F(ExecTest, ParentIdIsTheParentsOwnId) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended parent = run_workload({"start", "nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  Record parent_exec = bpftrap.record_of(parent, "exec");
  std::string id = parent_exec.text("id");
  std::vector<Record> of_child;
  std::copy_if(
      bpftrap.records().begin(), bpftrap.records().end(), std::back_inserter(of_child),
      [&](const Record& r) { return r.has("parent_id") && r.maybe_text("parent_id") == id; });
  ASSERT_EQ(of_child.size(), 2U);
  for (const Record& record : of_child) {
    EXPECT_EQ(record.number("ppid"), static_cast<std::uint64_t>(parent.pid));
    EXPECT_EQ(record.text("parent_comm"), parent_exec.text("comm"));
  }
  // The chain of parents ends at this test.
  std::string test = parent_exec.text("parent_id");
  std::string prefix = std::to_string(::getpid()) + "-";
  ASSERT_EQ(test.rfind(prefix, 0), 0U);
  EXPECT_EQ(to_ticks(std::stoull(test.substr(prefix.size()))), start_ticks(::getpid()));
}

TEST_F(ExecTest, ExecComesBeforeExitForEachProcess) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  std::vector<Child> children;
  children.reserve(200);
  for (int i = 0; i < 200; ++i) {
    children.emplace_back([] { return exec_self({"nothing"}); });
  }
  std::vector<Ended> processes;
  processes.reserve(children.size());
  for (Child& child : children) {
    processes.push_back(child.wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : processes) {
    std::vector<Record> records = bpftrap.records_of(process);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].kind(), "exec");
    EXPECT_EQ(records[1].kind(), "exit");
    EXPECT_EQ(records[0].text("id"), records[1].text("id"));
    EXPECT_LT(records[0].number("boot_ns"), records[1].number("boot_ns"));
  }
}

TEST_F(ExecTest, UserAndGroupAreThoseAtTheEvent) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become another user";
  }
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process =
      Child([] {
        gid_t group = 23456;
        if (::setgroups(1, &group) != 0 || ::setgid(23456) != 0 || ::setuid(12345) != 0) {
          return 126;
        }
        return exec_self({"nothing"});
      }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(process.status, 0) << "every user must be able to execute this test";
  for (const char* kind : {"exec", "exit"}) {
    EXPECT_EQ(bpftrap.record_of(process, kind).number("uid"), 12345U);
    EXPECT_EQ(bpftrap.record_of(process, kind).number("gid"), 23456U);
  }
}

TEST_F(ExecTest, ProcessThatExecutesNothingIsNotReported) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended forked = Child([] { return 0; }).wait();
  Ended executed = run_workload({"nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(forked).size(), 0U);
  EXPECT_EQ(bpftrap.records_of(executed).size(), 2U);
}

TEST_F(ExecTest, ExecFromAThreadIsOneExecOfTheSameProcess) {
  for (const char* workload : {"then", "then-from-thread"}) {
    Bpftrap bpftrap({"exec", "--json"});
    bpftrap.await_start();
    Ended process = run_workload({workload, "exit", "3"});
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(WEXITSTATUS(process.status), 3);
    std::vector<Record> records = bpftrap.records_of(process);
    ASSERT_EQ(records.size(), 3U) << workload;
    EXPECT_EQ(records[0].kind(), "exec");
    EXPECT_EQ(records[1].kind(), "exec");
    EXPECT_EQ(records[2].kind(), "exit");
    EXPECT_EQ(records[0].text("id"), records[2].text("id"));
    EXPECT_EQ(records[1].text("id"), records[2].text("id"));
    EXPECT_EQ(records[0].strings("args")[2], workload);
    EXPECT_EQ(records[1].strings("args")[2], "exit");
    EXPECT_EQ(records[2].strings("args")[2], "exit");
    EXPECT_EQ(records[2].number("exit_code"), 3U);
  }
}

TEST_F(ExecTest, MinDurationShowsOnlyEndsOfThoseThatLivedSoLong) {
  constexpr std::uint64_t least = 100'000'000;
  Bpftrap bpftrap({"exec", "--json", "-d", "100"});
  bpftrap.await_start();
  std::vector<Child> children;
  for (const char* time : {"0", "20", "50", "100", "110", "250"}) {
    children.emplace_back([time] { return exec_self({"sleep", time}); });
  }
  Ended forked = Child([] {
                   sleep_for(150ms);
                   return 0;
                 }).wait();
  std::vector<Ended> processes;
  processes.reserve(children.size() + 1);
  for (Child& child : children) {
    processes.push_back(child.wait());
  }
  Ended shortest = run_workload({"nothing"});
  processes.push_back(shortest);
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Record& record : bpftrap.records()) {
    EXPECT_NE(record.kind(), "exec");
    EXPECT_TRUE(record.kind() != "exit" || record.number("duration_ns") >= least);
  }
  EXPECT_EQ(bpftrap.records_of(forked).size(), 0U) << "it executed nothing";
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const Ended& process = processes[i];
    std::vector<Record> records = bpftrap.records_of(process);
    if (i >= 3 && i <= 5) {  // slept for 100 ms or more
      ASSERT_EQ(records.size(), 1U);
      EXPECT_EQ(records[0].strings("args")[2], "sleep");
      EXPECT_EQ(records[0].text("filename"), self_path());
    } else if (process.after_end - process.before_fork < least) {
      EXPECT_EQ(records.size(), 0U);
    }
  }
}

TEST_F(ExecTest, MinDurationKnowsProcessesOlderThanItself) {
  Gate gate;
  Child executed([&] { return exec_self({"sleep", "400"}); });
  Child forked([&] {
    gate.wait();
    return 0;
  });
  sleep_for(150ms);
  Bpftrap bpftrap({"exec", "--json", "-d", "100"});
  bpftrap.await_start();
  gate.open();
  Ended ended_forked = forked.wait();
  Ended ended = executed.wait();
  bool seen_whole = ended.before_fork + 400'000'000 > bpftrap.records().front().number("boot_ns");
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(ended_forked).size(), 0U);
  if (seen_whole) {  // it did not end while bpftrap was starting
    Record exit = bpftrap.record_of(ended, "exit");
    EXPECT_GE(exit.number("duration_ns"), 400'000'000U);
    EXPECT_EQ(exit.strings("args"),
              (std::vector<std::string>{self_path(), "--workload", "sleep", "400"}));
  }
}

TEST_F(ExecTest, PidSelectsProcesses) {
  Gate gate;
  std::vector<Child> children;
  children.reserve(3);
  for (int i = 0; i < 3; ++i) {
    children.emplace_back([&] {
      gate.wait();
      return exec_self({"nothing"});
    });
  }
  Bpftrap bpftrap({"exec", "--json", "--pid", std::to_string(children[0].pid()), "-p",
                   std::to_string(children[2].pid())});
  bpftrap.await_start();
  gate.open();
  std::size_t expected[] = {2, 0, 2};
  for (int i = 0; i < 3; ++i) {
    children[i].wait();
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records().size(), 6U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bpftrap.records_of(children[i].wait()).size(), expected[i]) << i;
  }
}

// `exec` never reported this process, because its exec was before the start.
TEST_F(ExecTest, EndOfAnOlderProcessThatExecutedBeforeIsNotShown) {
  Child child([] { return exec_self({"sleep", "1000"}); });
  sleep_for(100ms);
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = child.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(process).size(), 0U);
}

}  // namespace
}  // namespace e2e
