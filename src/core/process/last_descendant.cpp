// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/last_descendant.h"

#include "bpf/process.event.h"

namespace bpftrap {

bool LastDescendant::has_ended() {
  std::uint64_t followed = sources_.followed();
  if (followed == 0) {
    return true;
  }
  // Who ended unseen is counted among the living for ever. But of the ends that no program saw some
  // or all may be those of threads, or of others than descendants.
  return followed <= lost_.unseen(BPFTRAP_RECORD_EXIT) && sources_.all_ended() &&
         lost_.read().records[BPFTRAP_RECORD_FORK] == 0;
}

}  // namespace bpftrap
