// SPDX-License-Identifier: GPL-2.0-only
// The name by which people know what a process runs.
#pragma once

#include <string>
#include <string_view>

namespace bpftrap {

// Returns the name of the script that a command line runs, else that of its program, else `comm`.
// `args`: each with a NUL behind it. `is_script`: the kernel started an interpreter for `filename`.
std::string program_title(std::string_view args, std::string_view filename, bool is_script,
                          std::string_view comm);

// True for `sh`, `bash`, `-zsh` and the like.
bool is_shell(std::string_view name);

// True if the arguments are those of a shell that runs one command, as system(3) starts it: `sh -c
// COMMAND`, `bash -lc COMMAND`.
bool runs_command(std::string_view args);

}  // namespace bpftrap
