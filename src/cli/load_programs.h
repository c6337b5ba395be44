// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of the process tracers (src/bpf/process.bpf.c), from open to loaded.
#pragma once

#include <array>

#include "bpf/scope.h"
#include "cli/process_command.h"
#include "core/bpf/recursion_misses.h"
#include "core/bpf/ring_buffer_map.h"
#include "core/bpf/skeleton.h"
#include "core/process/watched_cgroups.h"
#include "process.skel.h"

namespace bpftrap {

using ProcessPrograms = decltype(process_bpf::progs);

// Programs that are loaded twice if the kernel may miss events: see recursion_misses.h.
std::array<ProgramPair, 3> program_pairs(const ProcessPrograms& programs, bool write_forks);

// Input of load_programs().
struct LoadSetup {
  const ProcessCommand& command;
  const TraceOptions& options;
  const bpftrap_scope& scope;
  const WatchedCgroups& cgroups;
  RingBufferMap& records;
};

// Throws Error.
LoadedSkeleton<process_bpf> load_programs(const LoadSetup& setup);

}  // namespace bpftrap
