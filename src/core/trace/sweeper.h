// SPDX-License-Identifier: GPL-2.0-only
// Sweeps: forgets processes whose end was not reported, once nothing of them is left to be read.
#pragma once

#include <optional>
#include <vector>

#include "core/bpf/ring_buffer.h"
#include "core/os/event_loop.h"
#include "core/process/sweep.h"

namespace bpftrap {

class Sweeper {
 public:
  // Each second, begins a sweep that one of `targets` wants. All of them take part, in their order.
  // The sweep ends when all that the ring buffer held at its beginning has been handled. What is
  // referred to must outlive this.
  Sweeper(EventLoop& loop, const RingBuffer& ring, std::vector<Sweepable*> targets);
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  // What happens each second.
  void advance();

 private:
  bool is_wanted() const;

  const RingBuffer& ring_;
  std::vector<Sweepable*> targets_;
  std::optional<unsigned long> until_;  // a sweep has begun: its end's place in the ring buffer
};

}  // namespace bpftrap
