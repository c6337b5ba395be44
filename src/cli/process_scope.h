// SPDX-License-Identifier: GPL-2.0-only
// The configuration of the programs of process.bpf.c.
#pragma once

#include <string>

#include "bpf/scope.h"
#include "cli/known_processes.h"
#include "cli/trace_options.h"

namespace bpftrap {

// Keeps signals in task storage if the kernel has it. That needs a tracing program, and hence the
// running kernel's own BTF.
void store_signals(bpftrap_scope& scope, const std::string& btf);

// Returns what the options ask for, in the way that this kernel allows.
bpftrap_scope choose_scope(const TraceOptions& options, const OwnIds& own);

}  // namespace bpftrap
