// SPDX-License-Identifier: GPL-2.0-only
// The start of a trace if the kernel refuses threads, or what they ask for.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

class StartTest : public TracingTest {};

void require(bool success, const char* step) {
  if (!success) {
    throw Failure(step);
  }
}

// This process and its children cannot start threads from now on. glibc tries clone3() first.
void refuse_threads() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "cannot filter");
}

// Lets a supervisor answer each bpf() call of this process from now on. Returns the descriptor for
// that.
int ask_about_bpf() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  long fd =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  require(fd >= 0, "cannot filter");
  return static_cast<int>(fd);
}

// Refuses the calls of all threads but the first, until the process has ended. Counts them.
int refuse_calls_of_threads(int listener, pid_t pid, SharedWords& refused) {
  for (;;) {
    pollfd ready{listener, POLLIN, 0};
    if (::poll(&ready, 1, -1) != 1 || (ready.revents & POLLIN) == 0) {
      return 0;
    }
    seccomp_notif call{};
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
      continue;  // the process has ended meanwhile
    }
    seccomp_notif_resp answer{call.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (call.pid != static_cast<std::uint32_t>(pid)) {
      answer = {call.id, 0, -ENOMEM, 0};
      refused[0] = refused[0] + 1;
    }
    ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

void expect_records(Bpftrap& bpftrap) {
  Ended process = run_workload({"exit", "3"});
  EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  bpftrap.record_of(process, "exec");
  EXPECT_EQ(bpftrap.record_of(process, "exit").number("exit_code"), 3U);
}

TEST_F(StartTest, WithoutThreads) {
  Bpftrap bpftrap({"exec", "--json"}, {.before_exec = refuse_threads});
  bpftrap.await_start();
  EXPECT_EQ(status_of(bpftrap.pid(), "Threads"), "1");
  expect_records(bpftrap);
}

TEST_F(StartTest, KernelRefusesWhatThreadsAskFor) {
  SharedWords listener;
  SharedWords refused;
  Gate taken;
  Bpftrap bpftrap({"exec", "--json"}, {.before_exec = [&] {
                    listener[0] = static_cast<std::uint64_t>(ask_about_bpf());
                    taken.wait();
                  }});
  while (listener[0] == 0) {
    sleep_for(std::chrono::milliseconds(1));
  }
  Child supervisor([&] {
    int process = static_cast<int>(::syscall(SYS_pidfd_open, bpftrap.pid(), 0));
    int fd = static_cast<int>(::syscall(SYS_pidfd_getfd, process, listener[0], 0));
    taken.open();
    return fd < 0 ? 1 : refuse_calls_of_threads(fd, bpftrap.pid(), refused);
  });
  taken.open();  // this process's end of the gate
  bpftrap.await_start();
  EXPECT_GE(refused[0], 3U) << "ring buffer, programs of execs and of ends";
  expect_records(bpftrap);
  EXPECT_EQ(supervisor.wait().status, 0);
}

}  // namespace
}  // namespace e2e
