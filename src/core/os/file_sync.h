// SPDX-License-Identifier: GPL-2.0-only
// Writes a file to its disk at intervals, in a thread of its own: fdatasync() takes tens of
// milliseconds.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "core/os/unique_fd.h"

namespace bpftrap {

class FileSync {
 public:
  // Duplicates `fd`. Calls `confine` first in the thread. Throws Error.
  FileSync(int fd, std::chrono::nanoseconds interval, std::function<void()> confine);
  ~FileSync();
  FileSync(const FileSync&) = delete;
  FileSync& operator=(const FileSync&) = delete;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace bpftrap
