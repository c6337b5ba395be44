// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/births.h"

namespace bpftrap {

void Births::forked(const Process& child) {
  if (living_.size() < most || living_.contains(child.id)) {
    living_.insert_or_assign(child.id, child.local_pid);
  }
}

void Births::forget_dead() {
  for (const ProcessId& id : sweep_.take_dead()) {
    living_.erase(id);
  }
  sweep_.set_left(size());
}

}  // namespace bpftrap
