// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bpftrap {

std::optional<Capabilities> get_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) {
    return std::nullopt;
  }
  return Capabilities{data[0].effective | CapabilitySet{data[1].effective} << 32,
                      data[0].permitted | CapabilitySet{data[1].permitted} << 32};
}

bool set_capabilities(const Capabilities& wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned word = 0; word < 2; ++word) {
    data[word].effective = static_cast<std::uint32_t>(wanted.effective >> (32 * word));
    data[word].permitted = static_cast<std::uint32_t>(wanted.permitted >> (32 * word));
  }
  return ::syscall(SYS_capset, &header, data) == 0;
}

}  // namespace bpftrap
