// SPDX-License-Identifier: GPL-2.0-only
// Of several senders the true one is named, whatever siginfo claims and whichever queue a signal
// waited in.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/victim.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
class ExitSenderTest : public SenderMemoryTest {};

INSTANTIATE_SENDER_MEMORY_TEST(ExitSenderTest);

void do_nothing() {}

void handle(int signal) {
  set_handler(signal, [](int) {});
}

sigset_t set_of(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

void take(int signal) {
  sigset_t set = set_of(signal);
  ::sigwaitinfo(&set, nullptr);
}

int unblock_and_pause() {
  unblock_all_signals();
  return pause_for_long();
}

TEST_P(ExitSenderTest, ForgedSiginfoHidesNobody) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  std::vector<Death> deaths;
  for (int code : {-1, -2, -3, -4, -5, -7, -60, -1000}) {
    for (int signal : {SIGTERM, SIGKILL, SIGQUIT, SIGRTMIN + 1}) {
      Victim victim(do_nothing, pause_for_long);
      victim.resume();
      Ended killer = sender("forger", [&] { send_forged(victim.pid(), signal, code, 1); });
      deaths.push_back({signal, victim.wait(), killer});
    }
  }
  expect_deaths(bpftrap, deaths, "forger");
}

TEST_P(ExitSenderTest, EarliestRealTimeSignalThatWasNotTaken) {
  const std::string names[] = {"first", "second", "third"};
  for (std::size_t taken : {0U, 1U, 2U}) {
    SCOPED_TRACE(taken);
    Bpftrap bpftrap(command());
    bpftrap.await_start();
    Victim victim(block_all_signals, [taken] {
      for (std::size_t i = 0; i < taken; ++i) {
        take(SIGRTMIN);
      }
      return unblock_and_pause();
    });
    std::vector<Ended> senders;
    for (const std::string& name : names) {
      senders.push_back(kill_from(name, victim.pid(), SIGRTMIN));
    }
    expect_death(bpftrap, victim, SIGRTMIN, senders[taken], names[taken]);
  }
}

// Without room for siginfo the kernel queues the signal alone, and says nothing of its sender.
TEST_P(ExitSenderTest, RealTimeSignalWhoseSiginfoFoundNoRoom) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  Victim victim(
      [] {
        rlimit none{};
        ::setrlimit(RLIMIT_SIGPENDING, &none);
        block_all_signals();
      },
      unblock_and_pause);
  Ended killer = kill_from("killer", victim.pid(), SIGRTMIN);
  expect_death(bpftrap, victim, SIGRTMIN, killer, "killer");
}

TEST_P(ExitSenderTest, SignalToTheThreadBeforeThatToTheProcess) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  auto to_thread = [](pid_t pid) { ::syscall(SYS_tgkill, pid, pid, SIGQUIT); };
  std::vector<Death> deaths;
  for (bool thread_first : {false, true}) {
    Victim victim(block_all_signals, unblock_and_pause);
    if (!thread_first) {
      kill_from("to process", victim.pid(), SIGQUIT);
    }
    Ended killer = sender("to thread", [&] { to_thread(victim.pid()); });
    if (thread_first) {
      kill_from("to process", victim.pid(), SIGQUIT);
    }
    victim.resume();
    deaths.push_back({SIGQUIT, victim.wait(), killer});
  }
  expect_deaths(bpftrap, deaths, "to thread");
}

// A victim that takes a first signal without a trace, and lets a second one end it.
class TakenSignal {
 public:
  explicit TakenSignal(int signal)
      : victim_(block_all_signals, [this, signal] {
          take(signal);
          words_[0] = 1;
          second_.wait();
          return unblock_and_pause();
        }) {}

  pid_t pid() const { return victim_.pid(); }
  void let_take() {
    victim_.resume();
    while (words_[0] == 0) {
      sleep_for(1ms);
    }
  }
  Ended end() {
    second_.open();
    return victim_.wait();
  }

 private:
  SharedWords words_;
  Gate second_;
  Victim victim_;
};

TEST_P(ExitSenderTest, SignalThatWasTakenBeforeTheNextOneCame) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  std::vector<Death> deaths;
  for (int signal : {SIGTERM, SIGQUIT, SIGRTMIN + 2}) {
    TakenSignal victim(signal);
    kill_from("innocent", victim.pid(), signal);
    victim.let_take();
    Ended killer = kill_from("killer", victim.pid(), signal);
    deaths.push_back({signal, victim.end(), killer});
  }
  expect_deaths(bpftrap, deaths, "killer");
}

TEST_P(ExitSenderTest, SiginfoCopiedFromAnEarlierSender) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  std::vector<Death> deaths;
  for (int signal : {SIGTERM, SIGRTMIN + 2}) {
    TakenSignal victim(signal);
    Ended innocent =
        sender("innocent", [&] { send_forged(victim.pid(), signal, SI_QUEUE, ::getpid(), 5); });
    victim.let_take();
    Ended killer =
        sender("forger", [&] { send_forged(victim.pid(), signal, SI_QUEUE, innocent.pid, 5); });
    deaths.push_back({signal, victim.end(), killer});
  }
  expect_deaths(bpftrap, deaths, "forger");
}

// While the first thread waits in vfork() it takes no signal, and another one resets the handler.
TEST_P(ExitSenderTest, HandlerWhenSentAndDefaultWhenDelivered) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  SharedWords words;
  static volatile std::uint64_t* step;
  step = &words[0];
  Victim victim(
      [] {
        handle(SIGTERM);
        block_all_signals();
        start_thread([](void*) -> void* {
          while (*step != 2) {
            sleep_for(1ms);
          }
          set_handler(SIGTERM, SIG_DFL);
          *step = 3;
          pause_for_long();
          return nullptr;
        });
        unblock_all_signals();
      },
      [] {
        if (::vfork() == 0) {
          *step = 1;
          while (*step != 3) {
            ::usleep(1000);
          }
          ::_exit(0);
        }
        return pause_for_long();
      });
  victim.resume();
  while (words[0] != 1) {
    sleep_for(1ms);
  }
  Ended killer = kill_from("killer", victim.pid(), SIGTERM);
  words[0] = 2;
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGTERM);
  expect_killer(bpftrap, ended, killer, "killer");
}

}  // namespace
}  // namespace e2e
