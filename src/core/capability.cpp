// SPDX-License-Identifier: GPL-2.0-only
#include "core/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace bpftrap {

bool has_capability(Capability capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) {
    return false;
  }
  auto number = static_cast<unsigned>(capability);
  return ((data[number / 32].effective >> (number % 32)) & 1U) != 0;
}

bool has_bpf_capabilities() {
  return has_capability(Capability::sys_admin) ||
         (has_capability(Capability::bpf) && has_capability(Capability::perfmon));
}

}  // namespace bpftrap
