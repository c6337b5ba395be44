// SPDX-License-Identifier: GPL-2.0-only
// Signals to processes with several threads, and processes that try to blame an innocent sender.
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/victim.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
class ExitSenderThreadTest : public SenderMemoryTest {};

INSTANTIATE_SENDER_MEMORY_TEST(ExitSenderThreadTest);

pid_t own_tid() {
  return static_cast<pid_t>(::syscall(SYS_gettid));
}

void await(volatile std::uint64_t& word, std::uint64_t value) {
  while (word != value) {
    sleep_for(1ms);
  }
}

// The process of a test and its second thread tell each other what to do. The pointer is valid in
// both, because a child has the memory map of the test.
struct Shared {
  volatile std::uint64_t step;
  volatile std::uint64_t tid;
};
Shared* shared;

void say_tid() {
  shared->tid = static_cast<std::uint64_t>(own_tid());
}

[[noreturn]] void end_thread() {
  for (;;) {
    ::syscall(SYS_exit, 0);
  }
}

class SharedState {
 public:
  SharedState() { shared = reinterpret_cast<Shared*>(const_cast<std::uint64_t*>(&words_[0])); }
  ~SharedState() { shared = nullptr; }

 private:
  SharedWords words_;
};

// kill() with the id of a thread sends a signal to the process. Any thread may take it.
struct Taker {
  const char* name;
  void* (*second)(void*);  // the thread whose id the sender uses
  int (*first)();
};

const Taker takers[] = {
    {"the first thread",
     [](void*) -> void* {
       say_tid();
       pause_for_long();
       return nullptr;
     },
     [] {
       unblock_all_signals();
       return pause_for_long();
     }},
    {"the first thread, after the end of the second one",
     [](void*) -> void* {
       say_tid();
       await(shared->step, 1);
       end_thread();
     },
     [] {
       shared->step = 1;
       sleep_for(20ms);
       unblock_all_signals();
       return pause_for_long();
     }},
    {"a third thread",
     [](void*) -> void* {
       say_tid();
       pause_for_long();
       return nullptr;
     },
     [] {
       start_thread([](void*) -> void* {
         unblock_all_signals();
         pause_for_long();
         return nullptr;
       });
       return pause_for_long();
     }},
};

TEST_P(ExitSenderThreadTest, SignalToTheProcessByTheIdOfAnotherThread) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  std::vector<Ended> killers, victims;
  for (const Taker& taker : takers) {
    SharedState state;
    Victim victim(
        [&] {
          block_all_signals();
          start_thread(taker.second);
          while (shared->tid == 0) {
            sleep_for(1ms);
          }
        },
        taker.first);
    killers.push_back(kill_from("killer", static_cast<pid_t>(shared->tid), SIGQUIT));
    victim.resume();
    victims.push_back(victim.wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < victims.size(); ++i) {
    SCOPED_TRACE(takers[i].name);
    EXPECT_EQ(WTERMSIG(victims[i].status), SIGQUIT);
    expect_killer(bpftrap, victims[i], killers[i], "killer");
  }
}

siginfo_t taken;

void take(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::sigwaitinfo(&set, &taken);
}

// Sends the caller a copy of the signal that it took. A thread may copy the siginfo of anyone if it
// sends it to itself.
void resend_to_process() {
  ::syscall(SYS_rt_sigqueueinfo, own_tid(), taken.si_signo, &taken);
}

void resend_to_thread() {
  ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), own_tid(), taken.si_signo, &taken);
}

void* take_quit_of_thread(void*) {
  say_tid();
  take(SIGQUIT);
  shared->step = 1;
  await(shared->step, 2);
  unblock_all_signals();
  pause_for_long();
  return nullptr;
}

// A process takes a signal of an innocent sender, and then ends itself by a copy of it.
struct Forgery {
  const char* name;
  int signal;
  bool to_thread;  // the innocent signal
  int (*forge)();
};

int die_in_thread(void* (*run)(void*)) {
  start_thread(run);
  return pause_for_long();
}

template <void (*Resend)()>
int die_by_first_thread() {
  take(SIGQUIT);
  Resend();
  unblock_all_signals();
  return pause_for_long();
}

template <int Signal, void (*Resend)()>
int die_by_second_thread() {
  take(Signal);
  return die_in_thread([](void*) -> void* {
    Resend();
    unblock_all_signals();
    pause_for_long();
    return nullptr;
  });
}

int die_of_copy_of_threads_signal() {
  await(shared->step, 1);
  ::syscall(SYS_rt_sigqueueinfo, ::getpid(), SIGQUIT, &taken);
  shared->step = 2;
  return pause_for_long();
}

const Forgery forgeries[] = {
    {"first thread, process", SIGQUIT, false, die_by_first_thread<resend_to_process>},
    {"first thread, thread", SIGQUIT, false, die_by_first_thread<resend_to_thread>},
    {"second thread, process", SIGQUIT, false, die_by_second_thread<SIGQUIT, resend_to_process>},
    {"second thread, thread", SIGQUIT, false, die_by_second_thread<SIGQUIT, resend_to_thread>},
    {"SIGTERM, process", SIGTERM, false, die_by_second_thread<SIGTERM, resend_to_process>},
    {"SIGTERM, thread", SIGTERM, false, die_by_second_thread<SIGTERM, resend_to_thread>},
    {"signal of a thread", SIGQUIT, true, die_of_copy_of_threads_signal},
};

TEST_P(ExitSenderThreadTest, ProcessThatCopiesAnEarlierSignalBlamesNobody) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  std::vector<Ended> victims;
  for (const Forgery& forgery : forgeries) {
    SharedState state;
    Victim victim(
        [&] {
          block_all_signals();
          if (forgery.to_thread) {
            start_thread(take_quit_of_thread);
            while (shared->tid == 0) {
              sleep_for(1ms);
            }
          }
        },
        forgery.forge);
    sender("innocent", [&] {
      if (forgery.to_thread) {
        ::syscall(SYS_tgkill, victim.pid(), static_cast<pid_t>(shared->tid), forgery.signal);
      } else {
        ::kill(victim.pid(), forgery.signal);
      }
    });
    victim.resume();
    victims.push_back(victim.wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < victims.size(); ++i) {
    SCOPED_TRACE(forgeries[i].name);
    EXPECT_EQ(WTERMSIG(victims[i].status), forgeries[i].signal);
    expect_no_killer(bpftrap, victims[i]);
  }
}

// Two queued signals look alike. The process takes the first one, and the second one ends it.
TEST_P(ExitSenderThreadTest, EqualRealTimeSignalAfterTheFirstWasTaken) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  Victim victim(block_all_signals, [] {
    take(SIGRTMIN);
    unblock_all_signals();
    return pause_for_long();
  });
  sender("innocent", [&] { send_forged(victim.pid(), SIGRTMIN, SI_QUEUE, 1); });
  sender("forger", [&] { send_forged(victim.pid(), SIGRTMIN, SI_QUEUE, 1); });
  victim.resume();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGRTMIN);
  expect_no_killer(bpftrap, ended);
}

// Both queues hold a signal that looks alike. The kernel takes that of the thread first.
TEST_P(ExitSenderThreadTest, EqualSignalsToTheProcessAndThenToTheThread) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  Victim victim(block_all_signals, [] {
    unblock_all_signals();
    return pause_for_long();
  });
  sender("to process", [&] { send_forged(victim.pid(), SIGQUIT, SI_QUEUE, 1); });
  Ended killer = sender("to thread", [&] {
    siginfo_t info{};
    info.si_signo = SIGQUIT;
    info.si_code = SI_QUEUE;
    info.si_pid = 1;
    ::syscall(SYS_rt_tgsigqueueinfo, victim.pid(), victim.pid(), SIGQUIT, &info);
  });
  victim.resume();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGQUIT);
  expect_killer(bpftrap, ended, killer, "to thread");
}

// The process ends itself. While a tracer delays the end of a thread, another process sends the
// same signal to that thread.
TEST_P(ExitSenderThreadTest, SignalToAThreadOfAProcessThatIsEndingAlready) {
  Bpftrap bpftrap(command());
  bpftrap.await_start();
  SharedState state;
  Victim victim(
      [] {
        start_thread([](void*) -> void* {
          say_tid();
          pause_for_long();
          return nullptr;
        });
        while (shared->tid == 0) {
          sleep_for(1ms);
        }
      },
      [] {
        await(shared->step, 1);
        return ::raise(SIGTERM);
      });
  victim.resume();
  auto tid = static_cast<pid_t>(shared->tid);
  Child tracer([&] {
    ::ptrace(PTRACE_SEIZE, tid, nullptr, PTRACE_O_TRACEEXIT);
    shared->step = 1;
    int status = 0;
    ::waitpid(tid, &status, __WALL);
    shared->step = 2;
    await(shared->step, 3);
    ::ptrace(PTRACE_CONT, tid, nullptr, nullptr);
    ::waitpid(tid, &status, __WALL);
    return 0;
  });
  await(shared->step, 2);
  sender("late", [&] { ::syscall(SYS_tgkill, victim.pid(), tid, SIGTERM); });
  shared->step = 3;
  tracer.wait();
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGTERM);
  expect_no_killer(bpftrap, ended);
}

}  // namespace
}  // namespace e2e
