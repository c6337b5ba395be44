// SPDX-License-Identifier: GPL-2.0-only
// The subcommands of `why`. Each adds its options to its app, and returns its work.
#pragma once

#include "cli/command.h"

namespace bpftrap {

Run setup_why_slow(CLI::App& app);
Run setup_why_died(CLI::App& app);

}  // namespace bpftrap
