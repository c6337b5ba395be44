// SPDX-License-Identifier: GPL-2.0-only
// Turns argv into a command with its options, or into a text to print. Has no side effects.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/command.h"
#include "core/os/exit_status.h"

namespace bpftrap {

struct Invocation {
  Run run;  // the command; empty if there is none
  // If `run` is empty: the text of --help or --version, or an error message of one line without a
  // line feed.
  std::string text;
  int status = ended_as_asked;
  // Exit status if `run` throws.
  int failure = could_not_work;
};

// Adds every command and its options. --help, man pages and completions come from these.
std::map<const CLI::App*, Run> add_commands(CLI::App& app);

Invocation read_command_line(int argc, const char* const* argv);

// Returns the command line as CLI11 expects it: last word first, and each word after `--` as a
// hidden option. Throws CLI::ValidationError.
std::vector<std::string> words_of(int argc, const char* const* argv);

}  // namespace bpftrap
