// SPDX-License-Identifier: GPL-2.0-only
// Writes to a regular file in a thread, because write() waits for a disk that is busy with earlier
// pages: 0.8 s were seen. The caller goes on meanwhile.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/os/unique_fd.h"

namespace bpftrap {

class FileWriter {
 public:
  struct Calls {
    std::function<void()> confine;                  // once, first in the thread
    std::function<void(std::string_view)> written;  // by the thread, after each part
  };
  // The end of all writing.
  struct Failure {
    int error = 0;            // errno
    std::string part;         // that is not written as a whole
    std::size_t written = 0;  // bytes of it
  };

  // `file` stays the caller's. Throws Error.
  FileWriter(int file, Calls calls);
  // Waits until all parts are written, unless drop() was called.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Takes the next part, and leaves an empty text. Parts are not joined, because a string of many
  // megabytes takes tens of milliseconds to grow.
  void write(std::string& part);
  // Bytes of parts that are not written as a whole.
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  std::size_t waiting_lines();

  // A descriptor for poll(). After want_progress() it is writable when the thread has written
  // another part, or has failed.
  int fd() const { return progress_.get(); }
  void want_progress();

  // Drops all parts but the one that is being written. No other may follow.
  void drop();

  // Returns the failure once, after which the thread has ended.
  std::optional<Failure> take_failure();

 private:
  void run();
  void write_first(std::unique_lock<std::mutex>& lock);
  void tell_progress();
  void give_back_memory(std::unique_lock<std::mutex>& lock);
  void stop();

  int file_;
  Calls calls_;
  UniqueFd progress_;  // an eventfd, at its maximum while progress is wanted
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // of the following
  std::condition_variable work_;
  std::list<std::string> parts_;  // the thread alone uses the first one while it writes
  std::size_t backlog_ = 0;       // most bytes that waited since nothing did
  std::string spare_;             // empty, with memory
  Failure failure_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace bpftrap
