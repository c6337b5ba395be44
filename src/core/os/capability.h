// SPDX-License-Identifier: GPL-2.0-only
// Which capabilities this process has in effect.
#pragma once

#include <cstdint>

namespace bpftrap {

// Numbers as in include/uapi/linux/capability.h.
enum class Capability {
  sys_ptrace = 19,
  sys_admin = 21,
  sys_resource = 24,
  perfmon = 38,
  bpf = 39
};

// By capget(), bit N for number N; none where the kernel does not answer.
std::uint64_t effective_capabilities();

}  // namespace bpftrap
