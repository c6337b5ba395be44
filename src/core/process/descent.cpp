// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/descent.h"

namespace bpftrap {

void Descent::forked(const ForkRecord& record) {
  if (members_.size() >= most && !members_.contains(record.process.id)) {
    return;
  }
  auto parent = members_.find(record.creator);
  unsigned depth = parent != members_.end() ? parent->second.depth + 1 : 0;
  members_.insert_or_assign(record.process.id, Member{depth, record.process.local_pid});
}

unsigned Descent::ended(const ProcessId& id) {
  auto found = members_.find(id);
  if (found == members_.end()) {
    return 0;
  }
  unsigned depth = found->second.depth;
  members_.erase(found);
  return depth;
}

void Descent::forget_dead() {
  for (const ProcessId& id : sweep_.take_dead()) {
    members_.erase(id);
  }
  sweep_.set_left(size());
}

}  // namespace bpftrap
