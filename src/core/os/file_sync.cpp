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
  std::mutex mutex;
  std::condition_variable stop;
  bool stopped = false;
};

FileSync::FileSync(std::chrono::nanoseconds interval, Calls calls)
    : shared_(std::make_unique<Shared>()) {
  try {
    thread_ = std::thread([shared = shared_.get(), interval, calls = std::move(calls)] {
      calls.confine();
      std::unique_lock<std::mutex> lock(shared->mutex);
      auto stopped = [shared] { return shared->stopped; };
      for (int part = 1; !shared->stop.wait_for(lock, interval / parts, stopped); ++part) {
        lock.unlock();
        part % parts == 0 ? calls.sync() : calls.start();
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

void start_sync(int fd) {
  ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

FileSync::Calls sync_of(int fd) {
  auto file = std::make_shared<UniqueFd>(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!*file) {
    throw Error("cannot duplicate a descriptor", errno);
  }
  return {[] {}, [file] { start_sync(file->get()); }, [file] { ::fdatasync(file->get()); }};
}

}  // namespace bpftrap
