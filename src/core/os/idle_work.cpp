// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/idle_work.h"

#include <sys/epoll.h>

#include <chrono>
#include <utility>

namespace bpftrap {

namespace {

constexpr std::chrono::nanoseconds at_once{1};

}  // namespace

IdleWork::IdleWork(EventLoop& loop, std::function<bool()> step, std::function<void()> done)
    : step_(std::move(step)), done_(std::move(done)) {
  loop.watch(timer_.fd(), EPOLLIN, [this](std::uint32_t) {
    if (timer_.take()) {
      run();
    }
  });
  timer_.arm(at_once);
}

void IdleWork::run() {
  if (step_()) {
    timer_.arm(at_once);
  } else {
    done_();
  }
}

}  // namespace bpftrap
