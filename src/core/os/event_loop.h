// SPDX-License-Identifier: GPL-2.0-only
// The one place where bpftrap waits: epoll over the ring buffer, signals, timers and the output.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "core/os/timer.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

// Single-threaded. Callbacks run inside run(); they may add, stop, and re-arm, but not remove.
class EventLoop {
 public:
  using Callback = std::function<void(std::uint32_t events)>;

  EventLoop();  // throws Error

  // Watches `fd`, which stays the caller's, for epoll `events`. False if the kernel cannot watch
  // it, such as a regular file. Throws Error for any other failure.
  bool watch(int fd, std::uint32_t events, Callback callback);
  void change(int fd, std::uint32_t events);

  // Calls back once per second inside run(), in the order of the calls of this function.
  void each_second(std::function<void()> callback);

  // Dispatches until stop(). A stop() before run() counts: run() then returns at once. Each stop()
  // ends one run().
  void run();
  void stop() { stopped_ = true; }

 private:
  struct Watch {
    int fd;
    Callback callback;
  };

  UniqueFd epoll_;
  std::list<Watch> watches_;
  std::optional<Timer> second_;
  std::list<std::function<void()>> each_second_;
  bool stopped_ = false;
};

}  // namespace bpftrap
