// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/messages.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <optional>
#include <string>

#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

// Maximum bytes of kept text: the whole log of --verbose, several times.
constexpr std::size_t kept_most = std::size_t{1} << 20;

using Clock = std::chrono::steady_clock;

// In milliseconds, as poll() takes it: until `end`, or for ever.
int timeout_until(std::optional<Clock::time_point> end) {
  if (!end) {
    return -1;
  }
  using std::chrono::milliseconds;
  auto left = std::chrono::ceil<milliseconds>(*end - Clock::now());
  return static_cast<int>(std::max(left, milliseconds(0)).count());
}

class Messages {
 public:
  // Looks at standard error, which tests and PROGRAM's child replace.
  void look();
  void write(std::string_view text);
  void request();  // the kept text includes requested output
  void flush();
  bool wait() const { return !kept_.empty(); }
  bool requested() const { return wait() && requested_; }
  // Waits until all is written, until `end`, or until `interrupt_fd` (-1: none) becomes readable.
  void drain(std::optional<Clock::time_point> end, int interrupt_fd);
  void drop() { kept_.clear(); }

 private:
  enum class Kind { unknown, blocking, polled, socket, nonblocking };

  void open(const struct stat& status);
  // Returns the bytes written, 0 if it would block, or -1 if standard error fails.
  ssize_t write_some(std::string_view text);
  void report_dropped();

  Kind kind_ = Kind::unknown;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  UniqueFd own_;
  int fd_ = STDERR_FILENO;
  std::string kept_;
  std::size_t dropped_ = 0;
  bool requested_ = false;
};

void Messages::look() {
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0) {
    // Closed, or the sandbox forbids the call: then standard error is the same as before.
    kind_ = kind_ == Kind::unknown ? Kind::polled : kind_;
  } else if (kind_ == Kind::unknown || status.st_dev != device_ || status.st_ino != inode_) {
    open(status);
  }
}

void Messages::open(const struct stat& status) {
  device_ = status.st_dev;
  inode_ = status.st_ino;
  own_.reset();
  fd_ = STDERR_FILENO;
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
  } else if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) {
    kind_ = Kind::blocking;
  } else {
    // O_NONBLOCK belongs to the open file description, which other processes share: open it again.
    int flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    own_ = UniqueFd(::open("/proc/self/fd/2", flags));
    fd_ = own_ ? own_.get() : STDERR_FILENO;
    kind_ = own_ ? Kind::nonblocking : Kind::polled;
  }
}

ssize_t Messages::write_some(std::string_view text) {
  std::size_t size = text.size();
  if (kind_ == Kind::polled) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) {
      return 0;
    }
    size = std::min(size, std::size_t{PIPE_BUF});
  }
  ssize_t count = 0;
  do {
    if (kind_ == Kind::socket) {
      count = ::send(fd_, text.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      // writev(), because `bpftrap hello` watches write().
      iovec part{const_cast<char*>(text.data()), size};
      count = ::writev(fd_, &part, 1);
    }
  } while (count < 0 && errno == EINTR);
  return count < 0 && errno == EAGAIN ? 0 : count;
}

void Messages::flush() {
  look();
  std::size_t done = 0;
  while (done < kept_.size()) {
    ssize_t count = write_some(std::string_view(kept_).substr(done));
    if (count <= 0) {
      done = count < 0 ? kept_.size() : done;  // nobody will read the rest
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  kept_.erase(0, done);
  requested_ = requested_ && !kept_.empty();
}

void Messages::report_dropped() {
  if (dropped_ != 0 && kept_.size() < kept_most / 2) {
    kept_ += "bpftrap: " + std::to_string(dropped_) +
             " bytes of messages were dropped, because standard error was blocked\n";
    dropped_ = 0;
  }
}

void Messages::write(std::string_view text) {
  report_dropped();
  if (text.size() > kept_most - std::min(kept_.size(), kept_most)) {
    dropped_ += text.size();
    return;
  }
  kept_ += text;
  flush();
}

void Messages::request() {
  requested_ = !kept_.empty();
}

void Messages::drain(std::optional<Clock::time_point> end, int interrupt_fd) {
  report_dropped();
  for (flush(); wait(); flush()) {
    std::array<pollfd, 2> ready{pollfd{fd_, POLLOUT, 0}, pollfd{interrupt_fd, POLLIN, 0}};
    int timeout = timeout_until(end);
    int count = ::poll(ready.data(), ready.size(), timeout);
    if (count == 0 || timeout == 0 || (count < 0 && errno != EINTR) ||
        (ready[1].revents & POLLIN) != 0) {
      return;
    }
  }
}

// Messages come from many places, and standard error is one per process.
Messages& messages() {
  static Messages instance;
  return instance;
}

}  // namespace

void open_messages() {
  messages().look();
}

void write_message(std::string_view text) {
  messages().write(text);
}

void write_requested(std::string_view text) {
  messages().write(text);
  messages().request();
}

void flush_messages() {
  if (messages_wait()) {
    messages().flush();
  }
}

bool messages_wait() {
  return messages().wait();
}

void drain_messages(std::chrono::milliseconds patience) {
  if (messages_wait()) {
    messages().drain(Clock::now() + patience, -1);
  }
}

void drain_requested(int interrupt_fd) {
  if (messages().requested()) {
    messages().drain(std::nullopt, interrupt_fd);
  }
}

void drop_messages() {
  messages().drop();
}

}  // namespace bpftrap
