// SPDX-License-Identifier: GPL-2.0-only
// Directories of cgroups that the user names: --cgroup.
#pragma once

#include <string>
#include <vector>

#include "core/os/unique_fd.h"

namespace bpftrap {

// Opens each directory of cgroup v2. A path is one of the file system, or one within the hierarchy
// as records show it. Throws Error.
std::vector<UniqueFd> open_cgroups(const std::vector<std::string>& paths);

}  // namespace bpftrap
