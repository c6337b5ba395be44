// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/reaper.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/os/error.h"

namespace bpftrap {

Reaper::Reaper(EventLoop& loop, Program* program) : program_(program) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  fd_ = UniqueFd(::signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) {
    throw Error("cannot wait for signals", errno);
  }
  loop.watch(fd_.get(), EPOLLIN, [this](std::uint32_t) { reap(); });
  reap();  // reaps children that have ended already
}

void Reaper::reap() {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) > 0) {
  }
  // An orphan may have PROGRAM's pid once PROGRAM is reaped.
  if (program_ != nullptr && program_->ended()) {
    program_ = nullptr;
  }
  siginfo_t child{};
  // Look at each child before it is reaped, because `program_` takes the status of PROGRAM.
  while (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != 0) {
    if (program_ != nullptr && child.si_pid == program_->pid()) {
      program_->ended();
      program_ = nullptr;
    } else {
      siginfo_t taken{};
      ::waitid(P_PID, static_cast<id_t>(child.si_pid), &taken, WEXITED | WNOHANG);
    }
    child = {};
  }
}

}  // namespace bpftrap
