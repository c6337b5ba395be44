// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/last_descendant.h"

#include "bpf/process.event.h"

namespace bpftrap {

bool LastDescendant::has_ended() {
  std::uint64_t followed = sources_.followed();
  if (followed == 0) {
    return true;
  }
  // A process whose end was missed is counted as living for good. But some or all of the missed
  // ends may be those of threads, or of processes that are no descendants.
  if (followed > lost_.unseen(BPFTRAP_RECORD_EXIT)) {
    return false;
  }
  if (state_ == State::unasked) {
    state_ = State::asked;
  }
  return state_ == State::ended && lost_.read().records[BPFTRAP_RECORD_FORK] == 0;
}

void LastDescendant::mark_dead() {
  if (state_ == State::asked) {
    state_ = State::sweeping;
  }
}

void LastDescendant::forget_dead() {
  // Each birth from before the sweep has been handled. If one process lived, one would be left: a
  // process born since has a parent that lived then, whose end is reported after the birth.
  if (state_ == State::sweeping) {
    state_ = sources_.born() == 0 ? State::ended : State::unasked;
  }
}

}  // namespace bpftrap
