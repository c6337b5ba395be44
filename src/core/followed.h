// SPDX-License-Identifier: GPL-2.0-only
// The processes whose descent is followed: marked in the kernel, which hands the mark down at fork.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace bpftrap {

class Followed {
 public:
  // The maps of src/bpf/scope.bpf.h, which stay the caller's. `by_task`: `marks_fd` is task_marks,
  // else pid_marks.
  Followed(int marks_fd, bool by_task, int count_fd)
      : marks_fd_(marks_fd), by_task_(by_task), count_fd_(count_fd) {}

  // Marks a process that exists. False where it is gone. Throws Error.
  bool add(pid_t pid);

  // Marks a process and its descendants, by the parents in `proc` («/proc»). To be called when
  // forks are followed already: those of the marked are then marked at birth, and what was born
  // before is found here, by looking until nothing new turns up. Returns how many.
  std::size_t add_tree(pid_t root, const std::string& proc);

  // Marked processes that have not ended.
  std::uint64_t count() const;

 private:
  int marks_fd_;
  bool by_task_;
  int count_fd_;
};

// Whether tracing programs may keep task storage: since 5.12 (a10787e6d58c).
bool kernel_has_task_storage();

}  // namespace bpftrap
