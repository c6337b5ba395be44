// SPDX-License-Identifier: GPL-2.0-only
// The last signal that asked a process to end, for a process that ends by itself.
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "e2e/victim.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using LastSignalTest = TracingTest;

volatile std::sig_atomic_t handled;

void handle(int signal) {
  set_handler(signal, [](int) { handled = 1; });
}

int await_handler() {
  while (handled == 0) {
    sleep_for(1ms);
  }
  return 143;
}

TEST_F(LastSignalTest, Handled) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim([] { handle(SIGTERM); }, await_handler);
  victim.resume();
  Ended from = kill_from("stopper", victim.pid(), SIGTERM);
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WEXITSTATUS(ended.status), 143);
  expect_no_killer(bpftrap, ended);
  expect_last_signal(bpftrap, ended, "SIGTERM", from, "stopper");
}

TEST_F(LastSignalTest, IgnoredBlockedAndPendingOnesCount) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  struct Case {
    const char* name;
    std::function<void()> prepare;
  };
  const Case cases[] = {
      {"SIGHUP", [] { set_handler(SIGHUP, SIG_IGN); }},
      {"SIGINT", [] { set_handler(SIGINT, SIG_IGN); }},
      {"SIGQUIT", block_all_signals},
      {"SIGABRT", block_all_signals},
      {"SIGTERM", block_all_signals},
  };
  const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGTERM};
  std::vector<Ended> victims;
  std::vector<Ended> senders;
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    Victim victim(cases[i].prepare, [] { return 0; });
    // The second one of a blocked signal finds the first one pending.
    kill_from("first", victim.pid(), signals[i]);
    senders.push_back(kill_from("second", victim.pid(), signals[i]));
    victim.resume();
    victims.push_back(victim.wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < victims.size(); ++i) {
    SCOPED_TRACE(cases[i].name);
    EXPECT_EQ(victims[i].status, 0);
    expect_no_killer(bpftrap, victims[i]);
    expect_last_signal(bpftrap, victims[i], cases[i].name, senders[i], "second");
  }
}

TEST_F(LastSignalTest, OtherSignalsAndOwnOnesDoNotCount) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(block_all_signals, [] {
    ::kill(::getpid(), SIGTERM);
    return 0;
  });
  Ended from = kill_from("stopper", victim.pid(), SIGHUP);
  for (int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGRTMIN}) {
    kill_from("other", victim.pid(), signal);
  }
  victim.resume();
  Ended ended = victim.wait();
  Ended quiet = Child([] { return 0; }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_last_signal(bpftrap, ended, "SIGHUP", from, "stopper");
  expect_no_last_signal(bpftrap, quiet);
}

TEST_F(LastSignalTest, SurvivesAnExec) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  for (const char* workload : {"nothing", "then-after-leader"}) {
    SCOPED_TRACE(workload);
    Victim victim([] { set_handler(SIGTERM, SIG_IGN); },
                  [&] {
                    if (std::string(workload) == "nothing") {
                      return exec_self({"nothing"});
                    }
                    start_thread([](void*) -> void* {
                      exec_self({"nothing"});
                      return nullptr;
                    });
                    return pause_for_long();
                  });
    Ended from = kill_from("stopper", victim.pid(), SIGTERM);
    victim.resume();
    Ended ended = victim.wait();
    bpftrap.await([&] { return !bpftrap.records_of(ended, "exit").empty(); });
    EXPECT_EQ(ended.status, 0);
    expect_last_signal(bpftrap, ended, "SIGTERM", from, "stopper");
  }
  EXPECT_EQ(bpftrap.stop(), 0);
}

// Which thread is the last one to end differs from time to time.
TEST_F(LastSignalTest, ProcessWithManyThreads) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> victims;
  std::vector<Ended> senders;
  for (int round = 0; round < 20; ++round) {
    Victim victim(
        [] {
          handle(SIGTERM);
          for (int i = 0; i < 16; ++i) {
            start_thread([](void*) -> void* {
              pause_for_long();
              return nullptr;
            });
          }
        },
        await_handler);
    victim.resume();
    senders.push_back(kill_from("stopper", victim.pid(), SIGTERM));
    victims.push_back(victim.wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < victims.size(); ++i) {
    EXPECT_EQ(WEXITSTATUS(victims[i].status), 143);
    expect_last_signal(bpftrap, victims[i], "SIGTERM", senders[i], "stopper");
  }
}

// Control-C: the terminal's driver sends SIGINT, no process does.
TEST_F(LastSignalTest, InterruptByTheTerminalHasNoSender) {
  int terminal = -1;
  int other = -1;
  ASSERT_EQ(::openpty(&terminal, &other, nullptr, nullptr, nullptr), 0);
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(
      [&] {
        ::setsid();
        ::ioctl(other, TIOCSCTTY, 0);
        handle(SIGINT);
      },
      await_handler);
  victim.resume();
  ASSERT_EQ(::write(terminal, "\x03", 1), 1);
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WEXITSTATUS(ended.status), 143) << "the handler ran";
  expect_no_last_signal(bpftrap, ended);
  ::close(terminal);
  ::close(other);
}

TEST_F(LastSignalTest, InTheTable) {
  Bpftrap bpftrap({"exit"});
  bpftrap.await_start();
  Victim victim([] { handle(SIGTERM); },
                [] {
                  await_handler();
                  return 0;
                });
  victim.resume();
  Ended from = kill_from("stopper", victim.pid(), SIGTERM);
  victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  const std::string expected = " 0 after SIGTERM from stopper[" + std::to_string(from.pid) + "] ";
  auto lines = bpftrap.lines();
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.find(expected) != std::string::npos;
  })) << bpftrap.output();
}

}  // namespace
}  // namespace e2e
