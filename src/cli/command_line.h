// SPDX-License-Identifier: GPL-2.0-only
// From argv to a command with its options, or to the text to print instead. Runs nothing and
// writes nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/command.h"
#include "core/os/exit_status.h"

namespace bpftrap {

struct Invocation {
  Run run;  // the command; empty if there is none to run
  // If there is none: the text of --help or --version, or one line, without a line feed, that says
  // what is wrong.
  std::string text;
  int status = ended_as_asked;
  // The exit status if `run` throws.
  int failure = could_not_work;
};

// Adds every command and its options: the source of --help, man pages and completions.
std::map<const CLI::App*, Run> add_commands(CLI::App& app);

Invocation read_command_line(int argc, const char* const* argv);

// The command line in CLI11's order, the last word first; words after `--` as hidden options.
// Throws CLI::ValidationError.
std::vector<std::string> words_of(int argc, const char* const* argv);

}  // namespace bpftrap
