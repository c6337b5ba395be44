// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/program_run.h"

#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <utility>

namespace bpftrap {

namespace {

constexpr std::chrono::milliseconds ask_interval{20};

}  // namespace

ProgramRun::ProgramRun(Program& program, EventLoop& loop, LastDescendant* last)
    : program_(program), loop_(loop), last_(last), reaper_(loop, &program) {
  loop_.watch(program.pidfd(), EPOLLIN | EPOLLONESHOT, [this](std::uint32_t) { program_ended(); });
  loop_.watch(ask_last_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (ask_last_.take() && last_->has_ended()) {
      stop_at_end();
    }
  });
}

void ProgramRun::program_ended() {
  // Its exit record is in the ring buffer, because the kernel submits it before the pidfd is ready.
  if (last_ != nullptr) {
    ask_last_.arm(ask_interval, true);
  } else {
    stop_at_end();
  }
}

void ProgramRun::stop_at_end() {
  saw_end_ = true;
  loop_.stop();
}

bool ProgramRun::ends_trace(StopSignals::Taken signal) {
  if (program_.ended()) {
    return true;
  }
  // The kernel sent the signal of Ctrl-C to the terminal's foreground job, which includes PROGRAM.
  if (signal.by_kernel) {
    return false;
  }
  // The second signal ends the wait for PROGRAM.
  if (std::exchange(forwarded_, true)) {
    abandoned_ = true;
    return true;
  }
  program_.signal(signal.number);
  return false;
}

void ProgramRun::wait(StopSignals& signals) {
  while (program_.released() && !abandoned_ && !program_.ended()) {
    std::array<pollfd, 3> ready{pollfd{program_.pidfd(), POLLIN, 0},
                                pollfd{signals.fd(), POLLIN, 0}, pollfd{reaper_.fd(), POLLIN, 0}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[2].revents != 0) {
      reaper_.reap();
    }
    if (ready[1].revents != 0) {
      StopSignals::Taken taken = signals.take();
      if (taken.number != 0) {
        ends_trace(taken);
      }
    }
  }
}

}  // namespace bpftrap
