// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/event_loop.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) {
    throw Error("cannot create an epoll instance", errno);
  }
}

bool EventLoop::watch(int fd, std::uint32_t events, Callback callback) {
  watches_.push_back({fd, std::move(callback)});
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watches_.back();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) {
    return true;
  }
  int err = errno;
  watches_.pop_back();
  if (err == EPERM) {
    return false;
  }
  throw Error("cannot watch a file descriptor", err);
}

void EventLoop::change(int fd, std::uint32_t events) {
  for (Watch& watch : watches_) {
    if (watch.fd == fd) {
      epoll_event event{};
      event.events = events;
      event.data.ptr = &watch;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    }
  }
}

void EventLoop::each_second(std::function<void()> callback) {
  each_second_.push_back(std::move(callback));
  if (second_) {
    return;
  }
  second_.emplace();
  watch(second_->fd(), EPOLLIN, [this](std::uint32_t) {
    if (second_->take()) {
      for (const std::function<void()>& each : each_second_) {
        each();
      }
    }
  });
  second_->arm(std::chrono::seconds(1), true);
}

void EventLoop::run() {
  std::array<epoll_event, 8> ready;
  while (!stopped_) {
    int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    if (count < 0 && errno != EINTR) {
      throw Error("cannot wait for events", errno);
    }
    for (int i = 0; i < count && !stopped_; ++i) {
      static_cast<Watch*>(ready[static_cast<std::size_t>(i)].data.ptr)
          ->callback(ready[static_cast<std::size_t>(i)].events);
    }
  }
  stopped_ = false;
}

}  // namespace bpftrap
