// SPDX-License-Identifier: GPL-2.0-only
// The processes whose descent is followed: marked in the kernel, which hands the mark down at fork.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "core/process/process_list.h"

namespace bpftrap {

class Followed {
 public:
  // Descriptors of maps of src/bpf/scope.bpf.h, which stay the caller's: `pid_marks` and
  // `followed`, and `task_marks` or -1 where the kernel has no task storage.
  struct Maps {
    int pid_marks;
    int task_marks;
    int count;
  };
  explicit Followed(const Maps& maps) : maps_(maps) {}

  // Marks a process and its descendants. To be called when forks are followed already: children of
  // the marked are then marked at birth. Those born before are found here: `list` is asked until
  // nothing new turns up. They are not in count(). Throws Error.
  void add_tree(const ListedProcess& root, const std::function<ProcessList()>& list);

  // Marked processes that have not ended.
  std::uint64_t count() const;

 private:
  // False if it is marked already.
  bool mark(const ListedProcess& process);
  void unmark(const ListedProcess& process);
  bool marked_at_birth(pid_t local_pid) const;

  Maps maps_;
};

}  // namespace bpftrap
