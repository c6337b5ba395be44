// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/capability.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace bpftrap {
namespace {

// A capability set, as shown in /proc/self/status.
CapabilitySet shown(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":\t")) {
      return std::stoull(line.substr(key.size() + 2), nullptr, 16);
    }
  }
  return 0;
}

TEST(Capabilities, AreThoseThatProcShows) {
  std::optional<Capabilities> held = get_capabilities();
  ASSERT_TRUE(held);
  EXPECT_EQ(held->effective, shown("CapEff"));
  EXPECT_EQ(held->permitted, shown("CapPrm"));
}

TEST(Capabilities, SetsBeyond32Bits) {
  CapabilitySet set = set_of(Capability::bpf) | set_of(Capability::kill);
  EXPECT_EQ(set, (CapabilitySet{1} << 39) | 32U);
  EXPECT_TRUE(contains(set, Capability::bpf));
  EXPECT_FALSE(contains(set, Capability::perfmon));
}

}  // namespace
}  // namespace bpftrap
