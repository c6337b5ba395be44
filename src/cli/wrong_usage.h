// SPDX-License-Identifier: GPL-2.0-only
// Messages for a wrong command line: one line each, without a line feed, that says how to fix it.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace bpftrap {

// The error that `command` met while it parsed its options.
std::string explain_options(const CLI::App& command, const CLI::ParseError& error);

// `words`, in the order of the command line, do not begin with a command of `app`.
std::string explain_command(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace bpftrap
