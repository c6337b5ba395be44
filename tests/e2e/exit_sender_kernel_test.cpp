// SPDX-License-Identifier: GPL-2.0-only
// Signals that the kernel raises, some of them on behalf of a process: the table of senders in
// docs/exactness.md.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <ctime>

#include "e2e/cgroup.h"
#include "e2e/namespaces.h"
#include "e2e/victim.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using ExitSenderKernelTest = TracingTest;

void do_nothing() {}

TEST_F(ExitSenderKernelTest, ParentWhoseEndSendsASignal) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  SharedWords words;
  Ended parent = Child([&] {
                   ::prctl(PR_SET_NAME, "parent");
                   if (::fork() == 0) {
                     ::prctl(PR_SET_PDEATHSIG, SIGTERM);
                     words[0] = static_cast<std::uint64_t>(::getpid());
                     pause_for_long();
                   }
                   while (words[0] == 0) {
                     sleep_for(1ms);
                   }
                   return 0;
                 }).wait();
  int status = 0;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(words[0]), &status, 0), static_cast<pid_t>(words[0]));
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_killer(bpftrap, exit_of(bpftrap, words[0]), parent, "parent");
}

void start_timer() {
  timer_t timer{};
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGTERM;
  ::timer_create(CLOCK_MONOTONIC, &event, &timer);
  itimerspec when{};
  when.it_value.tv_nsec = 10'000'000;
  ::timer_settime(timer, 0, &when, nullptr);
}

// The writer of a pipe does not know whom the kernel tells about it.
void write_to_watched_pipe(pid_t victim, int signal) {
  int fds[2];
  if (::pipe(fds) != 0) {
    ::_exit(126);
  }
  ::fcntl(fds[0], F_SETOWN, victim);
  ::fcntl(fds[0], F_SETSIG, signal);
  ::fcntl(fds[0], F_SETFL, O_ASYNC);
  if (::write(fds[1], "x", 1) != 1) {
    ::_exit(126);
  }
}

TEST_F(ExitSenderKernelTest, NobodyIfTheKernelSentIt) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> victims;
  victims.push_back(Child([] {
                      start_timer();
                      return pause_for_long();
                    }).wait());
  for (int signal : {SIGTERM, SIGIO}) {
    Victim victim(do_nothing, pause_for_long);
    victim.resume();
    sender("writer", [&] { write_to_watched_pipe(victim.pid(), signal); });
    victims.push_back(victim.wait());
  }
  victims.push_back(Child([] {
                      // The child's end sends this signal instead of SIGCHLD.
                      if (::syscall(SYS_clone, SIGTERM, nullptr, nullptr, nullptr, nullptr) == 0) {
                        ::_exit(0);
                      }
                      return pause_for_long();
                    }).wait());
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& victim : victims) {
    EXPECT_TRUE(WIFSIGNALED(victim.status));
    expect_no_killer(bpftrap, victim);
    expect_no_last_signal(bpftrap, victim);
  }
}

TEST_F(ExitSenderKernelTest, WriterOfCgroupKill) {
  std::string root = hierarchy();
  if (root.empty()) {
    GTEST_SKIP() << "the cgroup v2 hierarchy is not mounted";
  }
  Group group(root + "/bpftrap-sender-test");
  const std::string kill = group.path() + "/cgroup.kill";
  if (::access(kill.c_str(), F_OK) != 0) {
    GTEST_SKIP() << "the kernel is too old: no cgroup.kill";
  }
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim([&] { group.enter(); }, pause_for_long);
  victim.resume();
  Ended killer = sender("killer", [&] { write_file(kill, "1"); });
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGKILL);
  expect_killer(bpftrap, ended, killer, "killer");
}

// With such a signal the kernel does not say by siginfo that it is about I/O.
TEST_F(ExitSenderKernelTest, WriterOfAWatchedPipeIfTheSignalHasCodesOfItsOwn) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(do_nothing, pause_for_long);
  Ended writer = sender("writer", [&] { write_to_watched_pipe(victim.pid(), SIGSEGV); });
  expect_death(bpftrap, victim, SIGSEGV, writer, "writer");
}

TEST_F(ExitSenderKernelTest, SenderOfAMessage) {
  const std::string name = "/bpftrap-e2e-" + std::to_string(::getpid());
  mqd_t queue = ::mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, nullptr);
  if (queue < 0 && errno == ENOSYS) {
    GTEST_SKIP() << "this kernel has no message queues (CONFIG_POSIX_MQUEUE)";
  }
  ASSERT_GE(queue, 0);
  ::mq_unlink(name.c_str());
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(
      [&] {
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGTERM;
        ::mq_notify(queue, &event);
      },
      pause_for_long);
  Ended writer = sender("writer", [&] { ::mq_send(queue, "x", 1, 0); });
  ::mq_close(queue);
  expect_death(bpftrap, victim, SIGTERM, writer, "writer");
}

int exceed_cpu_limit() {
  rlimit limit{1, 10};
  ::setrlimit(RLIMIT_CPU, &limit);
  for (;;) {
  }
}

int exceed_file_limit() {
  rlimit limit{1, 1};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  int fd = static_cast<int>(::syscall(SYS_memfd_create, "file", 0));
  return ::write(fd, "xx", 2) == 1 && ::write(fd, "x", 1) == 1 ? 1 : 0;
}

int break_a_filter() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{4, code};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
  return static_cast<int>(::syscall(SYS_getppid));
}

int break_strict_mode() {
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  return static_cast<int>(::syscall(SYS_getppid));
}

int touch_a_forbidden_page() {
  void* page = ::mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return *static_cast<volatile int*>(page);
}

TEST_F(ExitSenderKernelTest, NobodyIfTheProcessBreaksALimitOrARule) {
  struct Case {
    const char* signal;
    int (*end)();
  };
  const Case cases[] = {
      {"SIGXCPU", exceed_cpu_limit},       {"SIGXFSZ", exceed_file_limit},
      {"SIGSYS", break_a_filter},          {"SIGKILL", break_strict_mode},
      {"SIGSEGV", touch_a_forbidden_page},
  };
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> victims;
  for (const Case& each : cases) {
    victims.push_back(Child(each.end).wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (std::size_t i = 0; i < victims.size(); ++i) {
    EXPECT_EQ(bpftrap.record_of(victims[i], "exit").maybe_text("signal"), cases[i].signal);
    expect_no_killer(bpftrap, victims[i]);
  }
}

TEST_F(ExitSenderKernelTest, NobodyIfATracerEnds) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Victim victim(do_nothing, pause_for_long);
  sender("tracer", [&] { ::ptrace(PTRACE_SEIZE, victim.pid(), nullptr, PTRACE_O_EXITKILL); });
  Ended ended = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(WTERMSIG(ended.status), SIGKILL);
  expect_no_killer(bpftrap, ended);
}

TEST_F(ExitSenderKernelTest, NobodyIfThePidNamespaceEnds) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root may create pid namespaces";
  }
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  SharedWords words;
  Child outer([&] {
    if (::unshare(CLONE_NEWPID) != 0) {
      return 126;
    }
    pid_t first = ::fork();
    if (first == 0) {
      if (::fork() == 0) {
        return pause_for_long();
      }
      while (words[0] == 0) {
        sleep_for(1ms);
      }
      ::_exit(0);
    }
    ::waitpid(first, nullptr, 0);
    return 0;
  });
  auto victim = static_cast<std::uint64_t>(await_process(outer.pid(), {2}));
  words[0] = 1;
  EXPECT_EQ(outer.wait().status, 0);
  EXPECT_EQ(bpftrap.stop(), 0);
  Record exit = exit_of(bpftrap, victim);
  EXPECT_EQ(exit.maybe_text("signal"), "SIGKILL");
  EXPECT_TRUE(exit.is_null("killer_pid"));
}

}  // namespace
}  // namespace e2e
