// SPDX-License-Identifier: GPL-2.0-only
// Directories of the cgroups of --cgroup.
#pragma once

#include <string>
#include <vector>

#include "core/os/unique_fd.h"

namespace bpftrap {

// Opens each directory of cgroup v2. A path names it in the file system, or in the hierarchy as
// records show it. Throws Error.
std::vector<UniqueFd> open_cgroups(const std::vector<std::string>& paths);

}  // namespace bpftrap
