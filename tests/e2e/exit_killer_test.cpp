// SPDX-License-Identifier: GPL-2.0-only
// The sender of a deadly signal is reported, and no other process.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using ExitKillerTest = TracingTest;

std::string own_comm() {
  std::ifstream file("/proc/self/comm");
  std::string comm;
  std::getline(file, comm);
  return comm;
}

int pause_for_long() {
  sleep_for(patience);
  return 0;
}

void expect_killer(const Record& exit, pid_t pid, const std::string& comm) {
  EXPECT_EQ(exit.maybe_number("killer_pid"), static_cast<std::uint64_t>(pid));
  EXPECT_EQ(exit.maybe_text("killer_comm"), comm);
}

void expect_no_killer(const Record& exit) {
  EXPECT_TRUE(exit.is_null("killer_pid"));
  EXPECT_TRUE(exit.is_null("killer_comm"));
}

// A way to send a signal to another process.
struct Way {
  const char* name;
  int signal;
  void (*send)(pid_t pid, int signal);
};

const Way ways[] = {
    {"kill", SIGKILL, [](pid_t pid, int signal) { ::kill(pid, signal); }},
    {"kill", SIGTERM, [](pid_t pid, int signal) { ::kill(pid, signal); }},
    {"kill", SIGINT, [](pid_t pid, int signal) { ::kill(pid, signal); }},
    {"kill", SIGSEGV, [](pid_t pid, int signal) { ::kill(pid, signal); }},
    {"kill", 40, [](pid_t pid, int signal) { ::kill(pid, signal); }},
    {"kill of a group", SIGKILL,
     [](pid_t pid, int signal) {
       ::setpgid(pid, pid);
       ::kill(-pid, signal);
     }},
    {"tgkill", SIGTERM, [](pid_t pid, int signal) { ::syscall(SYS_tgkill, pid, pid, signal); }},
    {"tkill", SIGKILL, [](pid_t pid, int signal) { ::syscall(SYS_tkill, pid, signal); }},
    {"sigqueue", SIGUSR1, [](pid_t pid, int signal) { ::sigqueue(pid, signal, sigval{}); }},
    {"pidfd_send_signal", SIGKILL,
     [](pid_t pid, int signal) {
       int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
       ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
       ::close(pidfd);
     }},
};

TEST_F(ExitKillerTest, WhoeverSentTheSignal) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> victims;
  for (const Way& way : ways) {
    Child victim(pause_for_long);
    way.send(victim.pid(), way.signal);
    victims.push_back(victim.wait());
    ASSERT_EQ(WTERMSIG(victims.back().status), way.signal) << way.name;
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < victims.size(); ++i) {
    SCOPED_TRACE(ways[i].name);
    SCOPED_TRACE(ways[i].signal);
    expect_killer(bpftrap.record_of(victims[i], "exit"), ::getpid(), own_comm());
  }
}

TEST_F(ExitKillerTest, KillerThatIsGoneItself) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Child victim(pause_for_long);
  Ended killer = Child([&] {
                   ::prctl(PR_SET_NAME, "killer of it");
                   return ::kill(victim.pid(), SIGTERM);
                 }).wait();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_killer(bpftrap.record_of(ended, "exit"), killer.pid, "killer of it");
  expect_no_killer(bpftrap.record_of(killer, "exit"));
}

TEST_F(ExitKillerTest, SignalThatWaitedUntilItWasUnblocked) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Gate gate;
  Child victim([&] {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    words[0] = 1;
    gate.wait();
    ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
    return 0;
  });
  while (words[0] == 0) {
    sleep_for(1ms);
  }
  victim.kill(SIGTERM);
  gate.open();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGTERM);
  expect_killer(bpftrap.record_of(ended, "exit"), ::getpid(), own_comm());
}

// A process that survives SIGTERM by `survive`, and then ends by `end`.
Ended survive_then(const std::function<void()>& survive, const std::function<int()>& end) {
  SharedWords words;
  Gate gate;
  Child victim([&] {
    survive();
    words[0] = 1;
    gate.wait();
    return end();
  });
  while (words[0] == 0) {
    sleep_for(1ms);
  }
  victim.kill(SIGTERM);
  sleep_for(20ms);
  gate.open();
  return victim.wait();
}

int die_of_sigterm_by_itself() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGTERM, &action, nullptr);
  ::kill(::getpid(), SIGTERM);
  return 0;
}

TEST_F(ExitKillerTest, SenderOfASignalThatWasSurvivedIsNotBlamed) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  auto handle = [] { ::signal(SIGTERM, [](int) {}); };
  auto ignore = [] { ::signal(SIGTERM, SIG_IGN); };
  std::vector<Ended> ended{
      survive_then(handle, [] { return 3; }),
      survive_then(handle, die_of_sigterm_by_itself),
      survive_then(ignore, die_of_sigterm_by_itself),
      survive_then(handle,
                   [] {
                     ::alarm(1);
                     return pause_for_long();
                   }),
  };
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WEXITSTATUS(ended[0].status), 3);
  EXPECT_EQ(WTERMSIG(ended[1].status), SIGTERM);
  EXPECT_EQ(WTERMSIG(ended[2].status), SIGTERM);
  EXPECT_EQ(WTERMSIG(ended[3].status), SIGALRM);
  for (std::size_t i = 0; i < ended.size(); ++i) {
    SCOPED_TRACE(i);
    expect_no_killer(bpftrap.record_of(ended[i], "exit"));
  }
}

// The process blocks the signal and takes it with sigwaitinfo(), so the signal ends no process.
TEST_F(ExitKillerTest, SenderOfASignalThatWasTakenIsNotBlamed) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  Ended ended = survive_then([&] { ::sigprocmask(SIG_BLOCK, &term, nullptr); },
                             [&] {
                               ::sigwaitinfo(&term, nullptr);
                               ::sigprocmask(SIG_UNBLOCK, &term, nullptr);
                               return die_of_sigterm_by_itself();
                             });
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGTERM);
  expect_no_killer(bpftrap.record_of(ended, "exit"));
}

TEST_F(ExitKillerTest, OfTwoSendersTheOneWhoseSignalEndedIt) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Child victim([&] {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    words[0] = 1;
    return pause_for_long();
  });
  while (words[0] == 0) {
    sleep_for(1ms);
  }
  Child([&] { return ::kill(victim.pid(), SIGTERM); }).wait();
  Ended killer = Child([&] {
                   ::prctl(PR_SET_NAME, "killer");
                   return ::kill(victim.pid(), SIGKILL);
                 }).wait();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_killer(bpftrap.record_of(ended, "exit"), killer.pid, "killer");
}

TEST_F(ExitKillerTest, NobodyWhereTheKernelRaisedTheSignal) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended pipe = Child([] {
                 int fds[2];
                 ::signal(SIGPIPE, SIG_DFL);
                 return ::pipe(fds) + ::close(fds[0]) + (::write(fds[1], "x", 1) > 0 ? 1 : 0);
               }).wait();
  Ended alarm = Child([] {
                  ::ualarm(10'000, 0);
                  return pause_for_long();
                }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.record_of(pipe, "exit").text("signal"), "SIGPIPE");
  EXPECT_EQ(bpftrap.record_of(alarm, "exit").text("signal"), "SIGALRM");
  expect_no_killer(bpftrap.record_of(pipe, "exit"));
  expect_no_killer(bpftrap.record_of(alarm, "exit"));
}

}  // namespace
}  // namespace e2e
