// SPDX-License-Identifier: GPL-2.0-only
// What a command is to `main`: a function that adds its options and says what is to be run.
#pragma once

#include <functional>

// Who adds options includes <CLI/CLI.hpp>, most of what takes long to compile; nobody else does.
namespace CLI {
class App;
}

namespace bpftrap {

// Runs after the command line is parsed; returns the exit status, throws Error.
using Run = std::function<int()>;

#define COMMAND(name, description) Run setup_##name(CLI::App& app);
#include "cli/commands.def"
#undef COMMAND

}  // namespace bpftrap
