// SPDX-License-Identifier: GPL-2.0-only
// One man page: synopsis and options from the command table, prose from the page below docs/.
#pragma once

#include <string>

#include "command_table.h"

namespace bpftrap::manual {

struct ManSource {
  CommandEntry root;
  std::string docs;  // the directory
  std::string date;  // YYYY-MM-DD
  std::string version;
};

// "bpftrap-exec"; "bpftrap" for the root itself.
std::string page_name(const CommandEntry& root, const CommandEntry& command);

std::string man_page(const ManSource& source, const CommandEntry& command);

}  // namespace bpftrap::manual
