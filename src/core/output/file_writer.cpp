// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/file_writer.h"

#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

FileWriter::FileWriter(int file, Calls calls)
    : file_(file), calls_(std::move(calls)), progress_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!progress_) {
    throw Error("cannot create an eventfd", errno);
  }
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    throw Error("cannot start a thread", error.code().value());
  }
}

FileWriter::~FileWriter() {
  stop();
}

void FileWriter::stop() {
  if (!thread_.joinable()) {
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void FileWriter::write(std::string& part) {
  std::size_t waiting = waiting_.fetch_add(part.size(), std::memory_order_relaxed) + part.size();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    backlog_ = std::max(backlog_, waiting);
    parts_.push_back(std::move(part));
    part = std::exchange(spare_, {});
  }
  work_.notify_one();
}

std::size_t FileWriter::waiting_lines() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::size_t lines = 0;
  for (const std::string& part : parts_) {
    lines += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
  }
  return lines;
}

void FileWriter::want_progress() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (parts_.empty() || failed_.load()) {
    return;
  }
  // At its maximum an eventfd is not writable. writev(), because `bpftrap hello` traces write().
  std::uint64_t most = UINT64_MAX - 1;
  iovec value{&most, sizeof most};
  [[maybe_unused]] ssize_t ignored = ::writev(progress_.get(), &value, 1);
}

void FileWriter::tell_progress() {
  std::uint64_t count = 0;
  [[maybe_unused]] ssize_t ignored = ::read(progress_.get(), &count, sizeof count);
}

void FileWriter::drop() {
  std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  while (parts_.size() > 1) {
    parts_.pop_back();
  }
}

std::optional<FileWriter::Failure> FileWriter::take_failure() {
  if (!failed_.load()) {
    return std::nullopt;
  }
  stop();
  failed_.store(false);
  return std::move(failure_);
}

void FileWriter::run() {
  calls_.confine();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!failed_.load()) {
    work_.wait(lock, [this] { return stopped_ || !parts_.empty(); });
    if (parts_.empty()) {
      return;
    }
    write_first(lock);
    tell_progress();
    if (parts_.empty()) {
      give_back_memory(lock);
    }
  }
}

void FileWriter::give_back_memory(std::unique_lock<std::mutex>& lock) {
  // malloc() keeps it otherwise, because other memory lies behind the parts.
  constexpr std::size_t usual_backlog = std::size_t{1} << 20;
  if (std::exchange(backlog_, 0) > usual_backlog) {
    lock.unlock();
    ::malloc_trim(0);
    lock.lock();
  }
}

void FileWriter::write_first(std::unique_lock<std::mutex>& lock) {
  // A string that grew more than usual gives its memory back.
  constexpr std::size_t spare_most = std::size_t{8} << 20;
  std::string& part = parts_.front();
  lock.unlock();
  std::size_t done = 0;
  int error = 0;
  while (done < part.size() && error == 0) {
    iovec rest{part.data() + done, part.size() - done};
    ssize_t count = ::writev(file_, &rest, 1);
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
    error = count < 0 && errno != EINTR ? errno : 0;
  }
  if (error == 0) {
    calls_.written(part);
    waiting_.fetch_sub(part.size(), std::memory_order_relaxed);
  }
  lock.lock();
  if (error != 0) {
    failure_ = {error, std::move(part), done};
    failed_.store(true);
  } else if (part.capacity() <= spare_most) {
    spare_ = std::move(part);
    spare_.clear();
  }
  parts_.pop_front();
}

}  // namespace bpftrap
