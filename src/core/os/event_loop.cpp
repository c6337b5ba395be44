// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/event_loop.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <limits>

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

void EventLoop::run() {
  running_ = true;
  std::array<epoll_event, 8> ready;
  while (running_) {
    int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    if (count < 0 && errno != EINTR) {
      throw Error("cannot wait for events", errno);
    }
    for (int i = 0; i < count && running_; ++i) {
      static_cast<Watch*>(ready[static_cast<std::size_t>(i)].data.ptr)
          ->callback(ready[static_cast<std::size_t>(i)].events);
    }
  }
}

Timer::Timer() : fd_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) {
    throw Error("cannot create a timer", errno);
  }
}

void Timer::arm(std::chrono::nanoseconds delay, bool repeat) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
  timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = (delay - seconds).count();
  itimerspec spec{};
  spec.it_value = time;
  if (repeat) {
    spec.it_interval = time;
  }
  ::timerfd_settime(fd_.get(), 0, &spec, nullptr);
}

bool Timer::take() {
  std::uint64_t expirations = 0;
  return ::read(fd_.get(), &expirations, sizeof expirations) ==
         static_cast<ssize_t>(sizeof expirations);
}

ClockStepWatch::ClockStepWatch()
    : fd_(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) {
    throw Error("cannot create a timer", errno);
  }
  arm();
}

void ClockStepWatch::arm() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<time_t>::max();
  ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
}

bool ClockStepWatch::take() {
  std::uint64_t expirations = 0;
  if (::read(fd_.get(), &expirations, sizeof expirations) < 0 && errno == ECANCELED) {
    arm();
    return true;
  }
  return false;
}

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
  fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) {
    throw Error("cannot receive signals", errno);
  }
}

StopSignals::~StopSignals() = default;

StopSignals::Taken StopSignals::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return {};
  }
  return {static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL};
}

}  // namespace bpftrap
