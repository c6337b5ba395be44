// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/standard_streams.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bpftrap {

void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // open() takes the lowest free number. Without /dev, any useless descriptor will do.
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR | O_CLOEXEC) < 0) {
      [[maybe_unused]] int none = ::open("/", O_PATH | O_CLOEXEC);
    }
  }
}

bool was_closed(int standard_stream) {
  // O_CLOEXEC marks ours: a program never starts with such a descriptor.
  int flags = ::fcntl(standard_stream, F_GETFD);
  return flags < 0 || (flags & FD_CLOEXEC) != 0;
}

std::size_t terminal_columns(int fd, std::size_t otherwise) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

}  // namespace bpftrap
