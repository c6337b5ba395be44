// SPDX-License-Identifier: GPL-2.0-only
// The recorder that the package installs: what its directory tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bpftrap {

struct RecorderFacts {
  int err = 0;  // errno of reading the directory
  bool runs = false;
  std::optional<std::int64_t> first_wall_ns = {};  // none: no records
  std::int64_t last_wall_ns = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> lost = 0;  // in this span; none if unknown
};

// Nullopt if the directory does not exist. Never fails.
std::optional<RecorderFacts> gather_recorder(const std::string& directory);

// True if /proc/locks, whose text this is, has a lock of flock() on the inode. `device`: as there,
// such as `fe:01`. Declared for tests.
bool has_flock(const std::string& locks, const std::string& device, std::uint64_t inode);

}  // namespace bpftrap
