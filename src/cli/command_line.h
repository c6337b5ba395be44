// SPDX-License-Identifier: GPL-2.0-only
// From argv to a command with its options, or to what is to be said instead. Runs nothing and
// writes nothing.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "core/os/exit_status.h"

namespace bpftrap {

struct Invocation {
  Run run;  // the command; empty where there is none to run
  // Else what was asked for (--help, --version), or in one line, without a line feed, what is
  // wrong.
  std::string text;
  int status = ended_as_asked;
  // The exit status if `run` throws.
  int failure = could_not_work;
};

Invocation read_command_line(int argc, const char* const* argv);

// The command line in CLI11's order, the last word first; words after `--` as hidden options.
// Throws CLI::ValidationError.
std::vector<std::string> words_of(int argc, const char* const* argv);

}  // namespace bpftrap
