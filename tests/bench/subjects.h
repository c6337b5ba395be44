// SPDX-License-Identifier: GPL-2.0-only
// What is compared: bpftrap, the floors, and every peer that is installed.
#pragma once

#include <string>
#include <vector>

#include "bench/tool.h"

namespace bench {

// `exec --json ARGS...` of the bpftrap that is measured, to a file.
ToolSpec bpftrap_json(const std::vector<std::string>& args = {});
ToolSpec bpftrap_table();
ToolSpec empty_floor();

// The path of that bpftrap: the environment variable BPFTRAP_BIN.
std::string bpftrap_binary();

// bpftrap first, then the floors, then peers unless they are not wanted.
std::vector<ToolSpec> subjects(bool with_peers);

}  // namespace bench
