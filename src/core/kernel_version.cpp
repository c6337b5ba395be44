// SPDX-License-Identifier: GPL-2.0-only
#include "core/kernel_version.h"

#include <sys/utsname.h>

#include <cstdio>

namespace bpftrap {

bool kernel_is_at_least(int major, int minor) {
  utsname names{};
  int own_major = 0, own_minor = 0;
  return ::uname(&names) == 0 && std::sscanf(names.release, "%d.%d", &own_major, &own_minor) == 2 &&
         (own_major > major || (own_major == major && own_minor >= minor));
}

}  // namespace bpftrap
