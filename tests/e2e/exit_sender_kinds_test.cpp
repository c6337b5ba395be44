// SPDX-License-Identifier: GPL-2.0-only
// Unusual senders and receivers: tracers, threads and namespaces.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "e2e/guest.h"
#include "e2e/namespaces.h"
#include "e2e/victim.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using ExitSenderKindsTest = TracingTest;

void do_nothing() {}

void* pause_thread(void*) {
  pause_for_long();
  return nullptr;
}

// The thread's id goes to the word.
void* pause_with_tid(void* word) {
  *static_cast<volatile std::uint64_t*>(word) = static_cast<std::uint64_t>(::syscall(SYS_gettid));
  return pause_thread(nullptr);
}

[[noreturn]] void end_thread() {
  for (;;) {
    ::syscall(SYS_exit, 0);
  }
}

// Returns at the victim's next stop.
void await_stop(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
    ::_exit(126);
  }
}

TEST_F(ExitSenderKindsTest, TracerThatPassesASignalOn) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Victim victim(do_nothing, pause_for_long);
  Child tracer([&] {
    ::ptrace(PTRACE_SEIZE, victim.pid(), nullptr, nullptr);
    words[0] = 1;
    await_stop(victim.pid());
    ::ptrace(PTRACE_CONT, victim.pid(), nullptr, SIGTERM);
    return 0;
  });
  while (words[0] == 0) {
    sleep_for(1ms);
  }
  Ended killer = kill_from("killer", victim.pid(), SIGTERM);
  Ended ended = victim.wait();
  tracer.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGTERM);
  expect_killer(bpftrap, ended, killer, "killer");
}

TEST_F(ExitSenderKindsTest, TracerThatSuppressesASignalAndInjectsOne) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Victim victim(do_nothing, pause_for_long);
  Child tracer([&] {
    ::prctl(PR_SET_NAME, "tracer");
    ::ptrace(PTRACE_SEIZE, victim.pid(), nullptr, nullptr);
    words[0] = 1;
    await_stop(victim.pid());
    ::ptrace(PTRACE_CONT, victim.pid(), nullptr, nullptr);
    ::kill(victim.pid(), SIGUSR1);
    await_stop(victim.pid());
    ::ptrace(PTRACE_CONT, victim.pid(), nullptr, SIGTERM);
    // If it ended now, the victim might have no tracer any more when it looks for its name.
    ::waitpid(victim.pid(), nullptr, __WALL);
    return 0;
  });
  while (words[0] == 0) {
    sleep_for(1ms);
  }
  Ended innocent = kill_from("innocent", victim.pid(), SIGTERM);
  Ended traced = victim.wait();
  Ended killer = tracer.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(traced.status), SIGTERM);
  expect_killer(bpftrap, traced, killer, "tracer");
  expect_last_signal(bpftrap, traced, "SIGTERM", innocent, "innocent");
}

// The leader ended long ago, or blocks the signal, so another thread takes it.
TEST_F(ExitSenderKindsTest, SignalThatAnotherThreadTakes) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Death> deaths;
  for (int signal : {SIGTERM, SIGQUIT}) {
    Victim blocking(
        [] {
          start_thread(pause_thread);
          block_all_signals();
        },
        pause_for_long);
    blocking.resume();
    Ended killer = kill_from("killer", blocking.pid(), signal);
    deaths.push_back({signal, blocking.wait(), killer});

    SharedWords words;
    Child leaving([&] {
      start_thread(pause_with_tid, const_cast<std::uint64_t*>(&words[0]));
      while (words[0] == 0) {
        sleep_for(1ms);
      }
      end_thread();
      return 0;
    });
    while (words[0] == 0) {
      sleep_for(1ms);
    }
    sleep_for(20ms);
    killer = kill_from("killer", leaving.pid(), signal);
    deaths.push_back({signal, leaving.wait(), killer});
  }
  expect_deaths(bpftrap, deaths, "killer");
  for (const Death& death : deaths) {
    expect_last_signal(bpftrap, death.victim, death.signal == SIGTERM ? "SIGTERM" : "SIGQUIT",
                       death.killer, "killer");
  }
}

TEST_F(ExitSenderKindsTest, SignalToOneOfManyThreads) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Death> deaths;
  for (bool directed : {false, true}) {
    for (int signal : {SIGKILL, SIGTERM, SIGQUIT}) {
      SharedWords words;
      Victim victim(
          [&] {
            for (int i = 0; i < 8; ++i) {
              start_thread(pause_thread);
            }
            start_thread(pause_with_tid, const_cast<std::uint64_t*>(&words[0]));
            while (words[0] == 0) {
              sleep_for(1ms);
            }
          },
          pause_for_long);
      victim.resume();
      Ended killer = sender("killer", [&] {
        if (directed) {
          ::syscall(SYS_tgkill, victim.pid(), static_cast<pid_t>(words[0]), signal);
        } else {
          ::kill(static_cast<pid_t>(words[0]), signal);
        }
      });
      deaths.push_back({signal, victim.wait(), killer});
    }
  }
  expect_deaths(bpftrap, deaths, "killer");
}

// A thread ends the process while another one has a deadly signal pending.
TEST_F(ExitSenderKindsTest, NobodyIfTheProcessEndsByItself) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(
      [] {
        start_thread(pause_thread);
        block_all_signals();
      },
      [] { return 7; });
  sender("sender", [&] { ::syscall(SYS_tgkill, victim.pid(), victim.pid(), SIGQUIT); });
  victim.resume();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WEXITSTATUS(ended.status), 7);
  expect_no_killer(bpftrap, ended);
}

TEST_F(ExitSenderKindsTest, StoppedProcess) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(do_nothing, pause_for_long);
  victim.resume();
  kill_from("stopper", victim.pid(), SIGSTOP);
  Ended killer = kill_from("killer", victim.pid(), SIGQUIT);
  kill_from("continuer", victim.pid(), SIGCONT);
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGQUIT);
  expect_killer(bpftrap, ended, killer, "killer");
}

// Starts process 2 of a new pid namespace. It blocks all signals, sets the first word to 1, and
// unblocks them when that is 2. The second word becomes its status.
int start_in_namespace(SharedWords& words) {
  if (::unshare(CLONE_NEWPID) != 0) {
    return 126;
  }
  pid_t first = ::fork();
  if (first != 0) {
    ::waitpid(first, nullptr, 0);
    return 0;
  }
  pid_t second = ::fork();
  if (second != 0) {
    int status = 0;
    ::waitpid(second, &status, 0);
    words[1] = static_cast<std::uint64_t>(status);
    return 0;
  }
  block_all_signals();
  words[0] = 1;
  while (words[0] != 2) {
    sleep_for(1ms);
  }
  unblock_all_signals();
  return pause_for_long();
}

// In a pid namespace, siginfo has pid 0 for each sender outside it.
TEST_F(ExitSenderKindsTest, SendersOutsideThePidNamespace) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Child outer([&] { return start_in_namespace(words); });
  pid_t victim = await_process(outer.pid(), {2});
  while (words[0] == 0) {
    sleep_for(1ms);
  }
  Ended killer = kill_from("first", victim, SIGRTMIN);
  kill_from("second", victim, SIGRTMIN);
  words[0] = 2;
  outer.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(static_cast<int>(words[1])), SIGRTMIN);
  expect_killer(bpftrap, exit_of(bpftrap, static_cast<std::uint64_t>(victim)), killer, "first");
}

// The receivers live, so that nothing about them is removed. Before 5.12 there are more of them
// than the shared map has room for, and the sender may be forgotten, but never mistaken.
TEST_F(ExitSenderKindsTest, AfterAFloodOfSignalsToOtherThreads) {
  constexpr std::size_t receivers = 5000;
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim flooded(
      [] {
        block_all_signals();
        for (std::size_t i = 0; i < receivers; ++i) {
          start_thread(pause_thread);
        }
      },
      [] { return 0; });
  Victim victim(block_all_signals, [] {
    unblock_all_signals();
    return pause_for_long();
  });
  Ended killer = kill_from("killer", victim.pid(), SIGQUIT);
  std::size_t sent = 0;
  const std::filesystem::path threads = "/proc/" + std::to_string(flooded.pid()) + "/task";
  for (const auto& thread : std::filesystem::directory_iterator(threads)) {
    pid_t tid = std::stoi(thread.path().filename());
    sent += ::syscall(SYS_tgkill, flooded.pid(), tid, SIGUSR1) == 0 ? 1 : 0;
  }
  EXPECT_EQ(sent, receivers + 1);
  victim.resume();
  Ended ended = victim.wait();
  flooded.resume();
  EXPECT_EQ(flooded.wait().status, 0);
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGQUIT);
  Record exit = bpftrap.record_of(ended, "exit");
  if (!kernel_is_older_than(5, 12) || !exit.is_null("killer_pid")) {
    expect_killer(bpftrap, exit, killer, "killer");
  }
}

}  // namespace
}  // namespace e2e
