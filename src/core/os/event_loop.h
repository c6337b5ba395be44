// SPDX-License-Identifier: GPL-2.0-only
// The one place where bpftrap waits: epoll over the ring buffer, signals, timers and the output.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>

#include "core/os/unique_fd.h"

namespace bpftrap {

// Single-threaded. Callbacks run inside run(); they may add, stop, and re-arm, but not remove.
class EventLoop {
 public:
  using Callback = std::function<void(std::uint32_t events)>;

  EventLoop();  // throws Error

  // Watches `fd` (the caller's) for epoll `events`. Returns false where the kernel cannot watch it,
  // as it cannot watch regular files. Throws Error for anything else.
  bool watch(int fd, std::uint32_t events, Callback callback);
  void change(int fd, std::uint32_t events);

  // Dispatches until stop().
  void run();
  void stop() { running_ = false; }

 private:
  struct Watch {
    int fd;
    Callback callback;
  };

  UniqueFd epoll_;
  std::list<Watch> watches_;
  bool running_ = false;
};

// A timer on CLOCK_BOOTTIME, readable when it has expired: it goes on while the machine sleeps.
class Timer {
 public:
  Timer();  // throws Error

  int fd() const { return fd_.get(); }
  // Once after `delay` (at least 1 ns), or then and each `delay` after it.
  void arm(std::chrono::nanoseconds delay, bool repeat = false);
  // To be called when readable; false where it had not expired after all.
  bool take();

 private:
  UniqueFd fd_;
};

// Becomes readable when somebody sets the wall clock: timerfd with TFD_TIMER_CANCEL_ON_SET.
class ClockStepWatch {
 public:
  ClockStepWatch();  // throws Error

  int fd() const { return fd_.get(); }
  // To be called when readable: true where the clock was set; armed again.
  bool take();

 private:
  void arm();

  UniqueFd fd_;
};

// SIGINT, SIGTERM and SIGHUP as something to read. A SIGHUP that was ignored (nohup) stays so.
class StopSignals {
 public:
  // Blocks them for the process, and ignores SIGPIPE. Throws Error.
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int fd() const { return fd_.get(); }
  struct Taken {
    int number = 0;          // 0: none came
    bool by_kernel = false;  // such as Ctrl-C: the terminal's whole foreground job has it
  };
  Taken take();

 private:
  UniqueFd fd_;
};

}  // namespace bpftrap
