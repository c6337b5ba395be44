// SPDX-License-Identifier: GPL-2.0-only
// Sweeps: forget processes whose end was not reported, once all of their records are read.
#pragma once

#include <optional>
#include <vector>

#include "core/bpf/ring_buffer.h"
#include "core/os/event_loop.h"
#include "core/process/sweep.h"

namespace bpftrap {

class Sweeper {
 public:
  // Each second, starts a sweep if one of `targets` wants one. All targets take part, in order. The
  // sweep ends when all records that the ring buffer held at its start are handled. All references
  // must outlive this object.
  Sweeper(EventLoop& loop, const RingBuffer& ring, std::vector<Sweepable*> targets);
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  // Called once per second.
  void advance();

 private:
  bool is_wanted() const;

  const RingBuffer& ring_;
  std::vector<Sweepable*> targets_;
  std::optional<unsigned long> until_;  // ring buffer position that ends the current sweep
};

}  // namespace bpftrap
