// SPDX-License-Identifier: GPL-2.0-only
// Capabilities of an executable, as setcap(8) gives them.
#pragma once

#include <cstdint>
#include <string>

namespace e2e {

// Writes them as setcap does (include/uapi/linux/capability.h), effective at once. False if its
// file system does not take them.
bool set_file_capabilities(const std::string& path, std::uint64_t permitted);

}  // namespace e2e
