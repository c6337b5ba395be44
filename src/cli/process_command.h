// SPDX-License-Identifier: GPL-2.0-only
// Shared by `exec` and `exit`: turns options into a running tracer.
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

// Sets the map's size to the number of keys, with a minimum of 1 because empty maps are invalid.
void size_key_map(bpf_map* map, const std::vector<std::uint32_t>& keys);

// Inserts the keys into the loaded map. Throws Error.
void fill_key_map(const bpf_map* map, const std::vector<std::uint32_t>& keys);

// Stores the cgroups in the loaded map. Throws Error.
void fill_cgroup_map(const bpf_map* map, const std::vector<UniqueFd>& cgroups);

// Throws Error if a process of --tree does not exist.
void require_processes(const std::vector<std::uint32_t>& pids);

// The two functions below need the BPF skeleton. They are defined in process_programs.cpp, because
// CMakeLists.txt compiles *_programs.cpp into bpftrap only, and unit tests link the other sources.

// Opens, configures, loads and attaches the process tracer. Traces until a stop or the end of
// PROGRAM. Returns the exit status. Throws Error.
int trace_processes(const ProcessCommand& command, const TraceOptions& options);

// Loads and attaches the programs briefly, for `doctor`. If `failed`, includes the program for
// failed execs. Throws Error.
void try_programs(std::string_view command, bool failed);

}  // namespace bpftrap
