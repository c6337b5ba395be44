// SPDX-License-Identifier: GPL-2.0-only
// Processes whose descendants are followed. The kernel passes their mark on at fork.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "core/process/process_list.h"

namespace bpftrap {

class Followed {
 public:
  // Descriptors of maps of src/bpf/scope.bpf.h; the caller keeps them. `task_marks` is -1 if the
  // kernel has no task storage. `count` is the map `followed`.
  struct Maps {
    int pid_marks;
    int task_marks;
    int count;
  };
  explicit Followed(const Maps& maps) : maps_(maps) {}

  // Marks a process and its descendants. Call it after forks are followed, so that the kernel marks
  // new children. This function finds older ones: it calls `list` until nothing new turns up. They
  // are not in count(). Throws Error.
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
