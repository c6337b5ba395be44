// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/descent.h"

namespace bpftrap {

void Descent::forked(const BirthRecord& record) {
  auto parent = depths_.find(record.parent);
  unsigned depth = parent != depths_.end() ? parent->second + 1 : 0;
  depths_.insert_or_assign(record.child, depth);
}

unsigned Descent::ended(const ProcessId& id) {
  auto found = depths_.find(id);
  if (found == depths_.end()) {
    return 0;
  }
  unsigned depth = found->second;
  depths_.erase(found);
  return depth;
}

void Descent::forget_dead() {
  for (const ProcessId& id : sweep_.take_dead()) {
    depths_.erase(id);
  }
  sweep_.set_left(size());
}

}  // namespace bpftrap
