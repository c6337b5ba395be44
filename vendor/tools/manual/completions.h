// SPDX-License-Identifier: GPL-2.0-only
// The command table as shells read it. The functions that it calls are in
// vendor/package/completions/.
#pragma once

#include <string>

#include "command_table.h"

namespace bpftrap::manual {

std::string bash_completion(const CommandEntry& root);
std::string zsh_completion(const CommandEntry& root);
std::string fish_completion(const CommandEntry& root);

// The name of a kind, as the shells' functions have it.
std::string kind_name(ValueKind kind);
// Joined by spaces.
std::string kind_names(const std::vector<ValueKind>& kinds);

std::string join(const std::vector<std::string>& words, const std::string& separator);

// In single quotes, for bash and zsh.
std::string shell_quoted(const std::string& text);

// The description's first line.
std::string first_line(const std::string& text);

}  // namespace bpftrap::manual
