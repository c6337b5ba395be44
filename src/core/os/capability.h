// SPDX-License-Identifier: GPL-2.0-only
// The capabilities of this process (capabilities(7)).
#pragma once

#include <cstdint>
#include <optional>

namespace bpftrap {

// Numbers as in include/uapi/linux/capability.h; older headers lack the last ones.
enum class Capability : unsigned {
  dac_override = 1,
  dac_read_search = 2,
  kill = 5,
  setpcap = 8,
  sys_ptrace = 19,
  sys_admin = 21,
  sys_resource = 24,
  perfmon = 38,
  bpf = 39
};

// Capabilities are numbered below this, on any kernel.
inline constexpr unsigned capability_numbers = 64;

// Bit N for number N.
using CapabilitySet = std::uint64_t;

constexpr CapabilitySet set_of(Capability capability) {
  return CapabilitySet{1} << static_cast<unsigned>(capability);
}

constexpr bool contains(CapabilitySet set, Capability capability) {
  return (set & set_of(capability)) != 0;
}

struct Capabilities {
  CapabilitySet effective = 0;
  CapabilitySet permitted = 0;
};

// None if the kernel refuses to tell.
std::optional<Capabilities> get_capabilities();

// Makes none inheritable, so no ambient one is left either (security/commoncap.c cap_capset()).
// False with errno if the kernel refuses.
bool set_capabilities(const Capabilities& wanted);

}  // namespace bpftrap
