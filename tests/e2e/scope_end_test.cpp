// SPDX-License-Identifier: GPL-2.0-only
// --pid and --tree: which processes may be named, and that the trace ends with them.
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "e2e/namespaces.h"
#include "e2e/scope_fixture.h"
#include "e2e/scope_workloads.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class ScopeEndTest : public ScopeTest {
 protected:
  static std::string number(pid_t pid) { return std::to_string(pid); }

  static void expect_refusal(const Words& options, const std::string& message) {
    Words arguments{"exec", "--json", "--timeout", "5s"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    Outcome outcome = run_bpftrap(arguments);
    EXPECT_EQ(outcome.status, 1) << message;
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors, "bpftrap: " + message + "\n");
  }
  // Several gates would hold each other open.
  static void wait_for(SharedWords& words, std::size_t index) {
    std::uint64_t deadline = boot_ns_now() + 30'000'000'000U;
    while (words[index] == 0 && boot_ns_now() < deadline) {
      sleep_for(1ms);
    }
  }
  // Its end is the last record before `stop`.
  static void expect_last(const Bpftrap& bpftrap, const Ended& process) {
    const std::vector<Record>& records = bpftrap.records();
    ASSERT_GE(records.size(), 3U);
    EXPECT_TRUE(is_about(records[records.size() - 2], process));
    EXPECT_EQ(records[records.size() - 2].kind(), "exit");
  }
  void await_notes(std::size_t count) {
    for (int i = 0; read_notes(notes_).size() < count && i < 60'000; ++i) {
      sleep_for(1ms);
    }
  }

  const std::string notes_ = directory_ / "notes";
};

TEST_F(ScopeEndTest, WithTheProcess) {
  for (int i = 0; i < 20; ++i) {
    const char* command = i % 2 == 0 ? "exec" : "exit";
    Gate gate;
    Child one([&] {
      gate.wait();
      return exec_argv(tiny_, {tiny_});
    });
    Bpftrap bpftrap({command, "--json", "--pid", number(one.pid())});
    bpftrap.await_start();
    gate.open();
    Ended ended = one.wait();
    EXPECT_EQ(bpftrap.wait(), 0);
    expect_last(bpftrap, ended);
  }
}

TEST_F(ScopeEndTest, WithTheLastOfSeveral) {
  SharedWords may_end;
  Child first([&] {
    wait_for(may_end, 0);
    return 3;
  });
  Child last([&] {
    wait_for(may_end, 1);
    return 4;
  });
  Bpftrap bpftrap({"exit", "--json", "-p", number(first.pid()), "-p", number(last.pid())});
  bpftrap.await_start();
  may_end[0] = 1;
  Ended first_ended = first.wait();
  bpftrap.await([&] { return bpftrap.records_of(first_ended).size() == 1; });
  bpftrap.keep_reading(100ms);
  EXPECT_EQ(bpftrap.records().size(), 2U) << "it goes on";
  may_end[1] = 1;
  Ended ended = last.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  expect_last(bpftrap, ended);
}

TEST_F(ScopeEndTest, WithTheLastThread) {
  Gate gate;
  Child one([&] {
    std::thread([&] {
      gate.wait();
      ::_exit(5);
    }).detach();
    for (;;) {
      ::syscall(SYS_exit, 0);
    }
    return 0;
  });
  // A zombie with a thread lives.
  Bpftrap bpftrap({"exit", "--json", "-p", number(one.pid())});
  bpftrap.await_start();
  bpftrap.keep_reading(200ms);
  EXPECT_EQ(bpftrap.records().size(), 1U) << "it goes on";
  gate.open();
  Ended ended = one.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  expect_last(bpftrap, ended);
}

// The number of an ended process can be taken by a stranger before it is given to a new one.
TEST_F(ScopeEndTest, AnotherProcessWithTheSameNumberIsNotTraced) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    SharedWords may_end;
    Child one([&] {
      wait_for(may_end, 0);
      return 3;
    });
    Child other([&] {
      wait_for(may_end, 1);
      return 4;
    });
    Bpftrap bpftrap({"exit", "--json", "-p", number(one.pid()), "-p", number(other.pid())});
    bpftrap.await_start();
    may_end[0] = 1;
    Ended ended = one.wait();
    Child parent([&] {
      pid_t again = fork_as(ended.pid);
      if (again == 0) {
        ::_exit(exec_argv(tiny_, {tiny_}));
      }
      int status = 0;
      return again > 0 && ::waitpid(again, &status, 0) == again ? WEXITSTATUS(status) : 125;
    });
    int status = parent.wait().status;
    may_end[1] = 1;
    other.wait();
    EXPECT_EQ(bpftrap.wait(), 0);
    if (status == 125 << 8) {
      continue;
    }
    EXPECT_EQ(status, 7 << 8);
    EXPECT_EQ(bpftrap.records().size(), 4U);
    EXPECT_EQ(bpftrap.record_of(ended, "exit").number("exit_code"), 3U);
    return;
  }
  GTEST_SKIP() << "the number was always taken by another process";
}

TEST_F(ScopeEndTest, WithTheLastOfTheTree) {
  for (int i = 0; i < 20; ++i) {
    ScratchDir scratch;
    std::string notes = scratch / "notes";
    Gate gate, end;
    Child root([&] {
      gate.wait();
      // A daemon, which outlives its parents
      if (::fork() == 0) {
        if (::fork() == 0) {
          note_self(notes);
          ::setsid();
          end.wait();
          run_workload({"nothing"});
          ::_exit(6);
        }
        ::_exit(0);
      }
      while (read_notes(notes).empty()) {
        sleep_for(1ms);
      }
      return 3;
    });
    Bpftrap bpftrap({"exit", "--json", "--tree", number(root.pid())});
    bpftrap.await_start();
    gate.open();
    Ended root_ended = root.wait();
    bpftrap.await([&] { return bpftrap.records_of(root_ended).size() == 1; });
    if (i < 2) {
      bpftrap.keep_reading(300ms);
    }
    end.open();
    EXPECT_EQ(bpftrap.wait(), 0);
    expect_last(bpftrap, read_notes(notes).at(0));
    EXPECT_EQ(bpftrap.records().size(), 6U);
  }
}

TEST_F(ScopeEndTest, WithTheLastOfATreeThatExistedAlready) {
  SharedWords may_end;
  Child root([&] {
    for (int i = 0; i < 3; ++i) {
      if (::fork() == 0) {
        note_self(notes_);
        wait_for(may_end, 1);
        ::_exit(i);
      }
    }
    wait_for(may_end, 0);
    return 3;
  });
  await_notes(3);
  Bpftrap bpftrap({"exit", "--json", "--tree", number(root.pid())});
  bpftrap.await_start();
  may_end[0] = 1;
  root.wait();
  bpftrap.await([&] { return bpftrap.records().size() == 2; });
  bpftrap.keep_reading(200ms);
  EXPECT_EQ(bpftrap.records().size(), 2U) << "it goes on";
  may_end[1] = 1;
  EXPECT_EQ(bpftrap.wait(), 0);
  for (const Ended& process : read_notes(notes_)) {
    EXPECT_EQ(bpftrap.records_of(process, "exit").size(), 1U);
  }
  EXPECT_EQ(bpftrap.records().size(), 6U);
}

TEST_F(ScopeEndTest, ById) {
  Gate gate;
  Child one([&] {
    exec_argv(tiny_, {tiny_}, "");
    return 0;
  });
  one.wait();
  // The id is that of another trace.
  Bpftrap observer({"exec", "--json", "--name", "wanted-id"});
  observer.await_start();
  Child wanted([&] { return exec_as("wanted-id", {"sleep", "60000"}); });
  observer.await([&] { return observer.records().size() == 2; });
  std::string id = observer.records()[1].text("id");
  std::string start = id.substr(id.find('-') + 1);
  std::string later = number(wanted.pid()) + "-" + std::to_string(std::stoull(start) + 20'000'000);
  expect_refusal({"--pid", later},
                 "no process " + later + " (--pid); it has ended, and another process has its pid");
  Bpftrap bpftrap({"exit", "--json", "--pid", id});
  bpftrap.await_start();
  wanted.kill(SIGTERM);
  Ended ended = wanted.wait();
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.record_of(ended, "exit").text("id"), id);
  EXPECT_EQ(observer.stop(), 0);
}

TEST_F(ScopeEndTest, NobodyIsRefused) {
  std::string gone = number(Child([] { return 0; }).wait().pid);
  for (const char* option : {"--pid", "--tree"}) {
    for (const std::string& pid : {gone, std::string("4194303")}) {
      expect_refusal({option, pid},
                     "no process " + pid + " (" + option + "); run `ps -e` to list processes");
    }
  }
  expect_refusal({"--pid", gone + "-5"},
                 "no process " + gone + "-5 (--pid); run `ps -e` to list processes");
}

TEST_F(ScopeEndTest, AThreadIsRefused) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  Child one([&] {
    std::thread([&] {
      auto tid = static_cast<pid_t>(::syscall(SYS_gettid));
      if (::write(report[1], &tid, sizeof tid) != sizeof tid) {
        ::_exit(1);
      }
      ::pause();
    }).detach();
    return ::pause();
  });
  pid_t tid = 0;
  ASSERT_EQ(::read(report[0], &tid, sizeof tid), static_cast<ssize_t>(sizeof tid));
  for (const char* option : {"--pid", "--tree"}) {
    expect_refusal({option, number(tid)}, number(tid) + " is a thread, not a process (" + option +
                                              "); give its process: " + option + " " +
                                              number(one.pid()));
  }
  Outcome hello = run_bpftrap({"hello", "--timeout", "5s", "--pid", number(tid)});
  EXPECT_EQ(hello.status, 1);
  EXPECT_NE(hello.errors.find("give its process: --pid " + number(one.pid())), std::string::npos);
  ::close(report[0]);
  ::close(report[1]);
}

TEST_F(ScopeEndTest, AZombieIsRefused) {
  Child one([] { return 0; });
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(one.pid()), &info, WEXITED | WNOWAIT), 0);
  for (const char* option : {"--pid", "--tree"}) {
    expect_refusal({option, number(one.pid())}, "process " + number(one.pid()) +
                                                    " has ended and is a zombie (" + option +
                                                    "); give a process that runs");
  }
}

}  // namespace
}  // namespace e2e
