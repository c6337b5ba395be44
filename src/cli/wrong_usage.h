// SPDX-License-Identifier: GPL-2.0-only
// Messages for a wrong command line. Each is one line without a line feed, and says how to fix it.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace bpftrap {

// Explains the error that occurred while `command` parsed its options.
std::string explain_options(const CLI::App& command, const CLI::ParseError& error);

// Explains `words`, in command-line order, that do not start with a command of `app`.
std::string explain_command(const CLI::App& app, const std::vector<std::string>& words);

// Explains that a subcommand of `command` is missing.
std::string explain_subcommand(const CLI::App& command);

}  // namespace bpftrap
