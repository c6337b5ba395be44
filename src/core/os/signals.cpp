// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/os/error.h"

namespace bpftrap {

StopSignals::StopSignals() {
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (hangup.sa_handler != SIG_IGN) {
    sigaddset(&set, SIGHUP);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGTTOU, SIG_IGN);
  fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) {
    throw Error("cannot receive signals", errno);
  }
}

StopSignals::Taken StopSignals::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return {};
  }
  return {static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL};
}

BlockedSignals::BlockedSignals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

BlockedSignals::~BlockedSignals() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace bpftrap
