// SPDX-License-Identifier: GPL-2.0-only
// A workload that says who it is.
#pragma once

#include <string>
#include <vector>

namespace e2e {

// Writes lines `KEY VALUE` to a file descriptor, the only argument. Keys are those of records, and
// values are what the kernel tells the process itself.
int workload_say_identity(const std::vector<std::string>& arguments);

}  // namespace e2e
