// SPDX-License-Identifier: GPL-2.0-only
// Decides when `-- PROGRAM --wait-all` ends. The kernel counts the followed processes. If it may
// have missed an end, a sweep checks whether a process still lives whose fork was reported.
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
    // Followed processes that have not ended: Followed::count().
    std::function<std::uint64_t()> followed;
    // Live processes whose fork was reported: Births::size().
    std::function<std::size_t()> born;
  };

  LastDescendant(Sources sources, LostCounter lost)
      : sources_(std::move(sources)), lost_(std::move(lost)) {}

  // Call it repeatedly after PROGRAM itself has ended. True only if no descendant lives. Stays
  // false if an end was missed and a fork record was lost, because the answer is then unknown.
  bool has_ended();

  // The sweep that gives the answer. It runs after the one of `born`.
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
