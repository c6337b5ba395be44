// SPDX-License-Identifier: GPL-2.0-only
// What `exec` and `exit` share: from options to a running tracer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/host.h"
#include "cli/trace_options.h"
#include "core/os/unique_fd.h"
#include "core/trace/process_stream.h"

namespace bpftrap {

struct ProcessCommand {
  std::string name;
  std::vector<std::string_view> columns;
};

// Gives a map of keys room for these, at least for one: a map of none cannot be created.
void size_key_map(bpf_map* map, const std::vector<std::uint32_t>& keys);

// Puts the keys into the loaded map. Throws Error.
void fill_key_map(const bpf_map* map, const std::vector<std::uint32_t>& keys);

// Puts them into the loaded map. Throws Error.
void fill_cgroup_map(const bpf_map* map, const std::vector<UniqueFd>& cgroups);

// Throws Error where a process of --tree does not exist.
void require_processes(const std::vector<std::uint32_t>& pids);

// The two functions below need the BPF skeleton. They are defined in process_programs.cpp, because
// CMakeLists.txt compiles *_programs.cpp into bpftrap only, and unit tests link the other sources.

// Opens, configures, loads and attaches the process tracer and traces with it, until a stop or the
// end of PROGRAM. Returns the exit status. Throws Error.
int trace_processes(const ProcessCommand& command, const TraceOptions& options);

// Loads and attaches the programs for a moment, for `doctor`; `failed`: also that of failed execs.
// Throws Error.
void try_programs(std::string_view command, bool failed);

}  // namespace bpftrap
