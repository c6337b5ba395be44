// SPDX-License-Identifier: GPL-2.0-only
// The interface between main() and a command: a function that adds its options and returns its
// work.
#pragma once

#include <functional>

// Declared here, because <CLI/CLI.hpp> is slow to compile. Only files that add options include it.
namespace CLI {
class App;
}

namespace bpftrap {

// Called after the command line is parsed. Returns the exit status. Throws Error.
using Run = std::function<int()>;

#define COMMAND(name, description) Run setup_##name(CLI::App& app);
#include "cli/commands.def"
#undef COMMAND

}  // namespace bpftrap
