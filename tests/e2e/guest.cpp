// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/guest.h"

#include <cstdlib>

namespace e2e {

bool in_guest() {
  return std::getenv("BPFTRAP_TEST_GUEST") != nullptr;
}

}  // namespace e2e
