// SPDX-License-Identifier: GPL-2.0-only
// Signals that are read from a descriptor. Each test runs in a child, because a process that has
// blocked signals keeps them blocked.
#include "core/os/signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace bpftrap {
namespace {

// Runs `body` in a child. Returns its exit code, or 128+N after signal N.
int in_child(const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(StopSignals, AreReadAndEndNothing) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(in_child([signal] {
                std::signal(SIGHUP, SIG_DFL);
                StopSignals signals;
                ::kill(::getpid(), signal);
                StopSignals::Taken taken = signals.take();
                bool as_sent = taken.number == signal && !taken.by_kernel;
                return as_sent && signals.take().number == 0 ? 0 : 1;
              }),
              0);
  }
}

TEST(StopSignals, NoneIsNumber0) {
  EXPECT_EQ(in_child([] {
              StopSignals signals;
              pollfd ready{signals.fd(), POLLIN, 0};
              return ::poll(&ready, 1, 0) == 0 && signals.take().number == 0 ? 0 : 1;
            }),
            0);
}

TEST(StopSignals, AHangupThatWasIgnoredStaysSo) {
  EXPECT_EQ(in_child([] {
              std::signal(SIGHUP, SIG_IGN);
              StopSignals signals;
              ::kill(::getpid(), SIGHUP);
              return signals.take().number;
            }),
            0);
}

TEST(StopSignals, OthersActAsEver) {
  EXPECT_EQ(in_child([] {
              StopSignals signals;
              ::kill(::getpid(), SIGUSR1);
              return 0;
            }),
            128 + SIGUSR1);
}

}  // namespace
}  // namespace bpftrap
