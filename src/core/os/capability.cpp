// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bpftrap {

std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) {
    return 0;
  }
  return data[0].effective | std::uint64_t{data[1].effective} << 32;
}

}  // namespace bpftrap
