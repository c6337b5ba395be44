// SPDX-License-Identifier: GPL-2.0-only
// Calls fdatasync() at intervals, in a thread of its own, because it takes tens of milliseconds.
// Meanwhile the file system makes writers wait, 0.8 s after five seconds of a storm. So the thread
// asks it to begin earlier (sync_file_range()).
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
    std::function<void()> start;    // at the end of each part of an interval but the last
    std::function<void()> sync;     // at the end of each interval
  };
  static constexpr int parts = 5;

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

// Begins to write the file to its disk, and does not wait for the end.
void start_sync(int fd);

// Returns calls that write the file to its disk. Duplicates `fd`. Throws Error.
FileSync::Calls sync_of(int fd);

}  // namespace bpftrap
