// SPDX-License-Identifier: GPL-2.0-only
// The status in `exit` records equals that of wait4().
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using ExitStatusTest = TracingTest;

std::string name_of(int signal) {
  const char* name = ::sigabbrev_np(signal);
  if (name != nullptr) {
    return std::string("SIG") + name;
  }
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    int beyond = signal - SIGRTMIN;
    return beyond == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(beyond);
  }
  return "SIG" + std::to_string(signal);
}

void expect_status(const Record& exit, int status) {
  EXPECT_EQ(exit.maybe_number("exit_code"),
            WIFEXITED(status) ? std::optional<std::uint64_t>(WEXITSTATUS(status)) : std::nullopt);
  EXPECT_EQ(exit.maybe_text("signal"),
            WIFSIGNALED(status) ? std::optional(name_of(WTERMSIG(status))) : std::nullopt);
  EXPECT_EQ(exit.flag("core_dumped"), WIFSIGNALED(status) && WCOREDUMP(status));
  EXPECT_FALSE(exit.flag("oom_killed"));
}

TEST_F(ExitStatusTest, EveryExitCode) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> processes;
  processes.reserve(256);
  for (int code = 0; code < 256; ++code) {
    processes.push_back(Child([code] { return code; }).wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (int code = 0; code < 256; ++code) {
    ASSERT_EQ(WEXITSTATUS(processes[code].status), code);
    expect_status(bpftrap.record_of(processes[code], "exit"), processes[code].status);
  }
}

// Signals whose default action ends a process.
std::vector<int> fatal_signals() {
  std::set<int> harmless{SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH};
  std::vector<int> fatal;
  for (int signal = 1; signal <= 64; ++signal) {
    if (harmless.count(signal) == 0) {
      fatal.push_back(signal);
    }
  }
  return fatal;
}

void limit_core(bool wanted) {
  rlimit limit{wanted ? RLIM_INFINITY : 0, RLIM_INFINITY};
  ::setrlimit(RLIMIT_CORE, &limit);
  // A process that root started as another user would not write a core.
  ::prctl(PR_SET_DUMPABLE, 1);
}

TEST_F(ExitStatusTest, EverySignalWithAndWithoutACore) {
  ScratchDir scratch;
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<std::pair<int, Ended>> processes;
  int dumped = 0;
  for (int signal : fatal_signals()) {
    for (bool core : {false, true}) {
      Child child([&] {
        limit_core(core);
        if (::chdir(scratch.path().c_str()) == 0) {
          ::syscall(SYS_kill, ::getpid(), signal);
        }
        return 1;
      });
      processes.emplace_back(signal, child.wait());
      dumped += WCOREDUMP(processes.back().second.status) ? 1 : 0;
    }
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const auto& [signal, process] : processes) {
    SCOPED_TRACE(signal);
    ASSERT_TRUE(WIFSIGNALED(process.status));
    ASSERT_EQ(WTERMSIG(process.status), signal);
    Record exit = bpftrap.record_of(process, "exit");
    expect_status(exit, process.status);
    EXPECT_TRUE(exit.is_null("killer_pid")) << "the process sent the signal to itself";
    EXPECT_TRUE(exit.is_null("killer_comm"));
  }
  if (dumped == 0) {
    GTEST_SKIP() << "all values equal wait4(), but this kernel writes no core (core_pattern)";
  }
}

void* pause_forever(void*) {
  for (;;) {
    ::pause();
  }
}

volatile int* volatile nowhere = nullptr;

void* crash(void*) {
  *nowhere = 1;
  return nullptr;
}

TEST_F(ExitStatusTest, CrashOfOneOfManyThreads) {
  ScratchDir scratch;
  for (bool core : {false, true}) {
    Bpftrap bpftrap({"exit", "--json"});
    bpftrap.await_start();
    Ended process = Child([&] {
                      limit_core(core);
                      pthread_t thread{};
                      if (::chdir(scratch.path().c_str()) != 0) {
                        return 1;
                      }
                      for (int i = 0; i < 20; ++i) {
                        ::pthread_create(&thread, nullptr, pause_forever, nullptr);
                      }
                      ::pthread_create(&thread, nullptr, crash, nullptr);
                      pause_forever(nullptr);
                      return 1;
                    }).wait();
    EXPECT_EQ(bpftrap.stop(), 0);
    ASSERT_TRUE(WIFSIGNALED(process.status));
    Record exit = bpftrap.record_of(process, "exit");
    EXPECT_EQ(exit.text("signal"), "SIGSEGV");
    expect_status(exit, process.status);
    EXPECT_TRUE(exit.is_null("killer_pid")) << "the kernel raised the signal";
  }
}

}  // namespace
}  // namespace e2e
