// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/version.h"

namespace bpftrap {

const char* version() {
  return BPFTRAP_VERSION;
}

}  // namespace bpftrap
