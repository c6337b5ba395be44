// SPDX-License-Identifier: GPL-2.0-only
// Processes whose descendants are followed. The kernel passes their mark on at fork.
#pragma once

#include <linux/types.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/process/process_list.h"

namespace bpftrap {

class Followed {
 public:
  // Descriptors of maps of src/bpf/scope.bpf.h, and its variable `followed`. The caller keeps
  // them. `task_marks` is -1 if the kernel has no task storage.
  struct Kernel {
    int pid_marks;
    int task_marks;
    __u64& count;
  };
  explicit Followed(const Kernel& kernel) : kernel_(kernel) {}

  // Marks a process and its descendants. Call it after forks are followed, so that the kernel marks
  // new children. This function finds older ones: it calls `list` until nothing new turns up.
  // Throws Error.
  void add_tree(const ListedProcess& root, const std::function<ProcessList()>& list);

  // Marked processes of which no program has seen the end.
  std::uint64_t count() const;
  // Those of add_tree() whose pids are in use.
  std::size_t living_of_trees() const;

 private:
  // Removes the marks of processes that had ended before they were marked. Returns false if that is
  // not yet known of all.
  bool unmark_ended(const ProcessList& now);
  // False if it is marked already.
  bool mark(const ListedProcess& process);
  void unmark(const ListedProcess& process);
  bool marked_at_birth(pid_t local_pid) const;

  Kernel kernel_;
  std::vector<ListedProcess> marked_;
};

}  // namespace bpftrap
