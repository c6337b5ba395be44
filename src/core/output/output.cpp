// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "core/os/error.h"
#include "core/os/full_disk.h"
#include "core/os/memory_limit.h"
#include "core/os/standard_streams.h"

namespace bpftrap {

Output::Output() : fd_(STDOUT_FILENO), name_("standard output") {
  if (was_closed(fd_)) {
    throw Error("standard output is closed", 0, "open it, or write to a file with --output FILE");
  }
  prepare();
}

Output::Output(UniqueFd file, std::string_view path, std::string_view option)
    : owned_(std::move(file)), fd_(owned_.get()), name_(fmt::format("'{}' ({})", path, option)) {
  prepare();
}

void Output::prepare() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) {
    throw Error(fmt::format("cannot write to {}", name_), errno);
  }
  may_wait_ = memory_share(waiting_most);
  terminal_ = ::isatty(fd_) == 1;
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
    return;
  }
  if (!S_ISFIFO(status.st_mode) && !terminal_) {
    kind_ = S_ISREG(status.st_mode) ? Kind::file : Kind::blocking;
    return;
  }
  if (owned_) {
    kind_ = Kind::nonblocking;
    return;
  }
  // O_NONBLOCK belongs to the open file description, which other processes (the shell) share.
  // Reopen the file to set it only here. If that fails, write only as much as poll() permits.
  int flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  UniqueFd own(::open(fmt::format("/proc/self/fd/{}", fd_).c_str(), flags));
  if (!own) {
    kind_ = Kind::polled;
    return;
  }
  owned_ = std::move(own);
  fd_ = owned_.get();
  kind_ = Kind::nonblocking;
}

// Returns how many of the bytes that were written are whole lines or units.
std::size_t Output::keep_whole(std::size_t size) {
  if (units_ != nullptr) {
    return units_->keep(std::string_view(buffer_).substr(0, size));
  }
  return size == 0 ? 0 : buffer_.rfind('\n', size - 1) + 1;
}

// Truncates the partial last line or unit, so that each in the file is whole. Others may have
// appended to the file or truncated it: then its end is not that of the last write.
void Output::truncate_partial() {
  auto part = static_cast<off_t>(written_ - keep_whole(written_));
  off_t end = owned_ && kind_ == Kind::file ? ::lseek(fd_, 0, SEEK_CUR) : -1;
  // lseek(), because the C library's fstat() is another system call than the sandbox allows.
  if (part > 0 && end >= part && ::lseek(fd_, 0, SEEK_END) == end) {
    [[maybe_unused]] int ignored = ::ftruncate(fd_, end - part);
  }
}

void Output::fail(int err) {
  truncate_partial();
  std::string kept = units_ != nullptr ? units_->kept() : "all earlier records are written";
  throw Error(fmt::format("cannot write to {}", name_), err, is_full_disk(err) ? kept : "");
}

std::size_t Output::write_some() {
  char* from = buffer_.data() + written_;
  std::size_t size = unsent();
  ssize_t count = 0;
  if (kind_ == Kind::polled) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) {
      return 0;
    }
    size = std::min(size, std::size_t{PIPE_BUF});
  }
  if (kind_ == Kind::socket) {
    count = ::send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    // Use writev(), because `bpftrap hello` traces write().
    iovec part{from, size};
    count = ::writev(fd_, &part, 1);
  }
  if (count >= 0) {
    return static_cast<std::size_t>(count);
  }
  if (errno == EPIPE || errno == ECONNRESET) {
    reader_gone_ = true;
  } else if (errno == EIO && terminal_) {
    reader_gone_ = true;  // the terminal was closed
  } else if (errno != EAGAIN && errno != EINTR) {
    fail(errno);
  }
  return 0;
}

void Output::flush() {
  if (store_ != nullptr) {
    store_->take(buffer_);
    return;
  }
  if (writer_) {
    flush_in_background();
    return;
  }
  while (unsent() > 0 && !reader_gone_) {
    std::size_t count = write_some();
    if (count == 0) {
      break;
    }
    written_ += count;
  }
  if (reader_gone_ || unsent() == 0) {
    if (units_ != nullptr) {
      units_->keep(buffer_);
    }
    buffer_.clear();
    written_ = 0;
  } else if (written_ > buffer_.size() / 2 && units_ == nullptr) {
    buffer_.erase(0, written_);
    written_ = 0;
  }
}

void Output::write_in_background(std::function<void()> confine) {
  if (kind_ == Kind::file) {
    auto written = [this](std::string_view part) {
      if (units_ != nullptr) {
        units_->keep(part);
      }
    };
    writer_ = std::make_unique<FileWriter>(fd_, FileWriter::Calls{std::move(confine), written});
  }
}

void Output::flush_in_background() {
  if (std::optional<FileWriter::Failure> failure = writer_->take_failure()) {
    writer_.reset();
    buffer_.swap(failure->part);
    written_ = failure->written;
    fail(failure->error);
  }
  if (!buffer_.empty()) {
    writer_->write(buffer_);
  }
}

bool Output::wants_flush() {
  if (writer_ && full()) {
    writer_->want_progress();
    return true;
  }
  return unsent() > 0;
}

bool Output::drain(Patience& patience) {
  for (flush(); waiting() > 0; flush()) {
    if (writer_) {
      writer_->want_progress();
    }
    if (!patience.await_writable(poll_fd())) {
      return false;
    }
  }
  return true;
}

std::size_t Output::waiting_lines() const {
  auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(written_);
  auto lines = static_cast<std::size_t>(std::count(begin, buffer_.end(), '\n'));
  if (writer_) {
    lines += writer_->waiting_lines();
  }
  return lines;
}

void Output::abandon() {
  if (writer_) {
    writer_->drop();
  }
}

void Output::close() {
  if (store_ != nullptr) {
    store_->finish();
    return;
  }
  writer_.reset();
  if (owned_ && (kind_ == Kind::blocking || kind_ == Kind::file)) {
    if (::close(owned_.release()) != 0) {
      fail(errno);
    }
  }
}

}  // namespace bpftrap
