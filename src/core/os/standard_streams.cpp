// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace bpftrap {

void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest free number is taken. Without /dev, a descriptor that can do nothing serves too.
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR | O_CLOEXEC) < 0) {
      [[maybe_unused]] int none = ::open("/", O_PATH | O_CLOEXEC);
    }
  }
}

bool was_closed(int standard_stream) {
  // No program is started with a descriptor that its exec would have closed: it is from here.
  int flags = ::fcntl(standard_stream, F_GETFD);
  return flags < 0 || (flags & FD_CLOEXEC) != 0;
}

}  // namespace bpftrap
