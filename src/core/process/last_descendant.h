// SPDX-License-Identifier: GPL-2.0-only
// When `-- PROGRAM --wait-all` is through. The kernel counts the followed processes; where it may
// have missed an end, a sweep finds out whether a process lives whose birth was reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "core/bpf/lost_counter.h"
#include "core/process/sweep.h"

namespace bpftrap {

class LastDescendant final : public Sweepable {
 public:
  struct Sources {
    // Followed processes whose end no program has seen: Followed::count().
    std::function<std::uint64_t()> followed;
    // Processes whose birth was reported, without those known to have ended: Descent::size().
    std::function<std::size_t()> born;
  };

  LastDescendant(Sources sources, LostCounter lost)
      : sources_(std::move(sources)), lost_(std::move(lost)) {}

  // To be asked again and again, once PROGRAM itself has ended. True only when no descendant lives.
  // It stays false where an end was missed and a birth found no room in the ring buffer: then it
  // cannot be known.
  bool has_ended();

  // The sweep that answers the question. It comes after the one of `born`.
  bool wants_sweep() const override { return state_ == State::asked; }
  void mark_dead() override;
  void forget_dead() override;

 private:
  enum class State {
    unasked,
    asked,     // the next sweep answers
    sweeping,  // a sweep has begun since
    ended,     // a sweep left no process
  };

  Sources sources_;
  LostCounter lost_;
  State state_ = State::unasked;
};

}  // namespace bpftrap
