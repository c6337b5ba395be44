// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/file_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "core/os/error.h"

namespace bpftrap {

struct FileSync::Shared {
  UniqueFd file;
  std::mutex mutex;
  std::condition_variable stop;
  bool stopped = false;
};

FileSync::FileSync(int fd, std::chrono::nanoseconds interval, std::function<void()> confine)
    : shared_(std::make_unique<Shared>()) {
  shared_->file = UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!shared_->file) {
    throw Error("cannot duplicate a descriptor", errno);
  }
  try {
    thread_ = std::thread([shared = shared_.get(), interval, confine = std::move(confine)] {
      confine();
      std::unique_lock<std::mutex> lock(shared->mutex);
      while (!shared->stop.wait_for(lock, interval, [shared] { return shared->stopped; })) {
        lock.unlock();
        ::fdatasync(shared->file.get());
        lock.lock();
      }
    });
  } catch (const std::system_error& error) {
    throw Error("cannot start a thread", error.code().value());
  }
}

FileSync::~FileSync() {
  {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->stopped = true;
  }
  shared_->stop.notify_all();
  thread_.join();
}

}  // namespace bpftrap
