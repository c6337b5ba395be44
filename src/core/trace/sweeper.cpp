// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/sweeper.h"

#include <algorithm>
#include <utility>

namespace bpftrap {

Sweeper::Sweeper(EventLoop& loop, const RingBuffer& ring, std::vector<Sweepable*> targets)
    : ring_(ring), targets_(std::move(targets)) {
  loop.each_second([this] { advance(); });
}

bool Sweeper::is_wanted() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const Sweepable* target) { return target->wants_sweep(); });
}

void Sweeper::advance() {
  if (!until_ && is_wanted()) {
    for (Sweepable* target : targets_) {
      target->mark_dead();
    }
    // Read the position after marking: a dead process has no records beyond it.
    until_ = ring_.produced();
  }
  if (until_ && ring_.consumed() >= *until_) {
    until_.reset();
    for (Sweepable* target : targets_) {
      target->forget_dead();
    }
  }
}

}  // namespace bpftrap
