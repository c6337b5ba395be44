// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/guest.h"

#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace e2e {

bool in_guest() {
  return std::getenv("BPFTRAP_TEST_GUEST") != nullptr;
}

bool kernel_is_older_than(int major, int minor) {
  utsname kernel{};
  ::uname(&kernel);
  std::pair<int, int> version;
  std::sscanf(kernel.release, "%d.%d", &version.first, &version.second);
  return version < std::pair(major, minor);
}

bool lost_is_a_maximum() {
  return in_guest() && !kernel_is_older_than(7, 0);
}

}  // namespace e2e
