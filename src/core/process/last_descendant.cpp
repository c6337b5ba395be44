// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/last_descendant.h"

#include "bpf/process.event.h"

namespace bpftrap {

bool LastDescendant::has_ended() {
  std::uint64_t followed = sources_.followed();
  if (followed == 0) {
    return true;
  }
  // A process whose end was missed stays in the count. The missed ends may also be those of
  // threads, or of other processes.
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
  // All births from before the sweep are handled, so none left means that none lived then. A
  // process born since would have a parent that lived then, whose end is reported after the birth.
  if (state_ == State::sweeping) {
    state_ = sources_.born() == 0 ? State::ended : State::unasked;
  }
}

}  // namespace bpftrap
