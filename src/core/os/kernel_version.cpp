// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/kernel_version.h"

#include <sys/utsname.h>

#include <cstdio>

namespace bpftrap {

KernelVersion parse_kernel_version(const std::string& release) {
  KernelVersion version;
  bool known = std::sscanf(release.c_str(), "%d.%d", &version.major, &version.minor) == 2;
  return known ? version : KernelVersion{};
}

bool kernel_is_at_least(int major, int minor) {
  utsname names{};
  ::uname(&names);
  return parse_kernel_version(names.release).at_least(major, minor);
}

}  // namespace bpftrap
