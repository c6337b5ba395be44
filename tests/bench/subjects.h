// SPDX-License-Identifier: GPL-2.0-only
// The compared programs: bpftrap, the floors, and every installed peer.
#pragma once

#include <string>
#include <vector>

#include "bench/tool.h"

namespace bench {

// `exec --json ARGS...` of the measured bpftrap, with its output to a file.
ToolSpec bpftrap_json(const std::vector<std::string>& args = {});
ToolSpec bpftrap_table();
ToolSpec bpftrap_record();
ToolSpec empty_floor();

// The path of the measured bpftrap: the environment variable BPFTRAP_BIN.
std::string bpftrap_binary();

// bpftrap, then the floors, then the peers if requested.
std::vector<ToolSpec> subjects(bool with_peers);

}  // namespace bench
