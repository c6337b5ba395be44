// SPDX-License-Identifier: GPL-2.0-only
// How much memory this process's cgroups let it have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bpftrap {

// Bytes: the least limit of its cgroup and of those above, in v2's hierarchy and v1's of memory;
// the largest number where there is none. `mounts` and `cgroups` are the texts of /proc/self/mounts
// and /proc/self/cgroup; `root` stands before every path (for tests).
std::uint64_t memory_limit(std::string_view mounts, std::string_view cgroups,
                           const std::string& root = "");

// Of this process.
std::uint64_t memory_limit();

// Bytes that may be kept where `most` are enough on any machine: an eighth of what this process's
// cgroups allow where that is less. To be asked before the sandbox.
std::size_t memory_share(std::size_t most);

}  // namespace bpftrap
