// SPDX-License-Identifier: GPL-2.0-only
// The processes whose descent is followed: marked in the kernel, which hands the mark down at fork.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

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

  // Marks a child of bpftrap's own, which has no descendants yet and cannot end before it is
  // waited for. Throws Error.
  void add_child(pid_t pid);

  // Marks a process and its descendants, by the parents in `proc` («/proc»). To be called when
  // forks are followed already: those of the marked are then marked at birth, and what was born
  // before is found here, by looking until nothing new turns up. They are not in count(). Throws
  // Error.
  void add_tree(pid_t root, const std::string& proc);

  // Marked processes that have not ended.
  std::uint64_t count() const;

 private:
  enum class Mark { added, known, gone };

  Mark mark(pid_t pid, const std::string& proc);
  bool marked_at_birth(pid_t pid) const;

  Maps maps_;
};

}  // namespace bpftrap
