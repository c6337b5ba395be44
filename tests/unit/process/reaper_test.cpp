// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/reaper.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace bpftrap {
namespace {

// In a process that is the parent of all orphans below it, as process 1 is; the exit code.
int in_subreaper(const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void start_orphans(int count) {
  for (int i = 0; i < count; ++i) {
    pid_t parent = ::fork();
    if (parent == 0) {
      if (::fork() == 0) {
        ::usleep(20'000);
      }
      ::_exit(0);
    }
    ::waitpid(parent, nullptr, 0);
  }
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

TEST(Reaper, WaitsForOrphans) {
  EXPECT_EQ(in_subreaper([] {
              EventLoop loop;
              Reaper reaper(loop, nullptr);
              start_orphans(5);
              for (int i = 0; i < 1'000 && has_children(); ++i) {
                ::usleep(1'000);
                reaper.reap();
              }
              return has_children() ? 1 : 0;
            }),
            0);
}

TEST(Reaper, LoopWakesItUp) {
  EXPECT_EQ(in_subreaper([] {
              EventLoop loop;
              Reaper reaper(loop, nullptr);
              start_orphans(5);
              Timer timer;
              int left = 1'000;
              loop.watch(timer.fd(), 1 /* EPOLLIN */, [&](std::uint32_t) {
                timer.take();
                if (!has_children() || --left == 0) {
                  loop.stop();
                }
              });
              timer.arm(std::chrono::milliseconds(2), true);
              loop.run();
              return has_children() ? 1 : 0;
            }),
            0);
}

TEST(Reaper, LeavesProgramItsStatus) {
  EXPECT_EQ(in_subreaper([] {
              Program program({{"/bin/sh", "-c", "exit 7"}, false});
              EventLoop loop;
              Reaper reaper(loop, &program);
              program.release();
              start_orphans(3);
              for (int i = 0; i < 2'000 && has_children(); ++i) {
                ::usleep(1'000);
                reaper.reap();
              }
              return program.exit_status();
            }),
            7);
}

}  // namespace
}  // namespace bpftrap
