// SPDX-License-Identifier: GPL-2.0-only
// Calls fdatasync() at intervals, in a thread of its own, because it takes tens of milliseconds.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "core/os/unique_fd.h"

namespace bpftrap {

class FileSync {
 public:
  struct Calls {
    std::function<void()> confine;  // once, first in the thread
    std::function<void()> sync;     // at each interval
  };
  // Throws Error.
  FileSync(std::chrono::nanoseconds interval, Calls calls);
  ~FileSync();
  FileSync(const FileSync&) = delete;
  FileSync& operator=(const FileSync&) = delete;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
  std::thread thread_;
};

// Returns a function that writes the file to its disk. Duplicates `fd`. Throws Error.
std::function<void()> sync_of(int fd);

}  // namespace bpftrap
