// SPDX-License-Identifier: GPL-2.0-only
// A process whose memory makes its readers wait: a page of it belongs to a file system (FUSE) that
// never answers. Any user can make one with fusermount.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "e2e/child.h"

namespace e2e {

class StuckMemory {
 public:
  // `way`: "page" puts the page where the kernel left the path of the program (AT_EXECFN). "lock"
  // makes a thread wait for the page with mmap_lock held, and another one queue for that lock.
  // Both need root.
  explicit StuckMemory(const std::string& way);

  // Empty if the process is ready, else the reason why this kernel has none.
  const std::string& missing() const { return missing_; }
  pid_t pid() const { return static_cast<pid_t>(words_[0]); }
  // Lets the process and its readers end.
  void release() { server_.reset(); }

 private:
  ScratchDir scratch_;
  mutable SharedWords words_;  // the process's pid
  std::unique_ptr<Child> server_;
  std::string missing_;
};

// DIRECTORY WAY: that process, once the file system is mounted.
int workload_stuck_memory(const std::vector<std::string>& arguments);

}  // namespace e2e
