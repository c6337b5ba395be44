// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/patience.h"

#include <poll.h>

#include <algorithm>
#include <array>

namespace bpftrap {

void Patience::limit() {
  if (!end_) {
    end_ = std::chrono::steady_clock::now() + bounds_.in_all;
  }
}

// In milliseconds, as poll() takes it. 0 at the end of the time.
int Patience::next_timeout() {
  if (!end_) {
    return -1;
  }
  using std::chrono::milliseconds;
  auto left = std::chrono::ceil<milliseconds>(*end_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp(left, milliseconds(0), bounds_.without_progress).count());
}

bool Patience::await_writable(int fd) {
  while (!over_) {
    int timeout = next_timeout();
    std::array<pollfd, 2> ready{pollfd{fd, POLLOUT, 0}, pollfd{signals_.fd(), POLLIN, 0}};
    int count = ::poll(ready.data(), ready.size(), timeout);
    if (count > 0 && (ready[1].revents & POLLIN) != 0 && signals_.take().number != 0) {
      over_ = end_.has_value();
      limit();
    } else if (count > 0 && ready[0].revents != 0 && timeout != 0) {
      return true;
    } else if (count == 0 || timeout == 0) {
      over_ = true;
    }
  }
  return false;
}

}  // namespace bpftrap
