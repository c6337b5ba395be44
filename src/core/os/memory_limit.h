// SPDX-License-Identifier: GPL-2.0-only
// The memory that this process's cgroups allow it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bpftrap {

// The lowest limit, in bytes, of the cgroup and its ancestors, in the v2 hierarchy and in v1's
// memory hierarchy. The maximum of the type if there is no limit. `mounts` and `cgroups` are the
// texts of /proc/self/mounts and /proc/self/cgroup. Tests put a `root` before every path.
std::uint64_t memory_limit(std::string_view mounts, std::string_view cgroups,
                           const std::string& root = "");

// The limit of this process.
std::uint64_t memory_limit();

// Bytes that may be kept: `most`, or an eighth of memory_limit() if that is less. Call it before
// the sandbox.
std::size_t memory_share(std::size_t most);

}  // namespace bpftrap
