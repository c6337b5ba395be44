// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/supervised.h"

#include <linux/filter.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <iterator>

#include "e2e/failure.h"

namespace e2e {

namespace {

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
  if (fd < 0) {
    throw Failure("cannot filter");
  }
  return static_cast<int>(fd);
}

}  // namespace

SupervisedBpftrap::SupervisedBpftrap(const std::vector<std::string>& args, const Judge& judge) {
  bpftrap_.emplace(args, Bpftrap::Setup{.before_exec = [&] {
                     listener_[0] = static_cast<std::uint64_t>(ask_about_bpf());
                     taken_.wait();
                   }});
  while (listener_[0] == 0) {
    sleep_for(std::chrono::milliseconds(1));
  }
  supervisor_.emplace([&] { return supervise(judge); });
  taken_.open();  // this process's end of the gate
}

int SupervisedBpftrap::supervise(const Judge& judge) {
  pid_t pid = bpftrap_->pid();
  int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  int listener = static_cast<int>(::syscall(SYS_pidfd_getfd, process, listener_[0], 0));
  taken_.open();
  if (listener < 0) {
    return 1;
  }
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
    if (int err = judge(call, pid); err != 0) {
      answer = {call.id, 0, -err, 0};
      refused_[0] = refused_[0] + 1;
    }
    ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

}  // namespace e2e
