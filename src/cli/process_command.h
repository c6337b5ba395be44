// SPDX-License-Identifier: GPL-2.0-only
// Shared by `exec` and `exit`: turns options into a running tracer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/directory_options.h"
#include "cli/host.h"
#include "cli/table_options.h"
#include "cli/trace_options.h"
#include "core/analysis/run.h"
#include "core/process/named_processes.h"
#include "core/process/watched_cgroups.h"
#include "core/trace/process_stream.h"

namespace bpftrap {

struct ProcessCommand {
  std::string name;
  std::vector<ColumnChoice> columns;            // by default
  bool records = false;                         // into a recording, instead of printing
  const DirectoryOptions* directory = nullptr;  // likewise: into a directory
  // Returns the output about the whole run, instead of printing its records.
  std::function<std::string(const RecordedRun&)> explain = {};
};

// The options of the stream of a live trace. `output` must outlive the stream.
ProcessStreamOptions live_stream_options(const TraceOptions& options, const Output& output);

// Stores the processes of --pid in the loaded map. Throws Error.
void fill_pid_map(const bpf_map* map, const std::vector<NamedProcess>& processes);

// Sizes the maps of src/bpf/scope_cgroup.bpf.h before the load, or leaves them out.
void size_cgroup_maps(bpf_map* nodes, bpf_map* numbers, const WatchedCgroups& cgroups);

// The two functions below need the BPF skeleton. They are defined in process_programs.cpp and
// load_programs.cpp, because CMakeLists.txt compiles *_programs.cpp into bpftrap only, and unit
// tests link the other sources.

// Opens, configures, loads and attaches the process tracer. Traces until a stop or the end of
// PROGRAM. Returns the exit status. Throws Error.
int trace_processes(const ProcessCommand& command, const TraceOptions& options);

// Loads and attaches the programs briefly, for `doctor`. If `failed`, includes the program for
// failed execs. Throws Error.
void try_programs(std::string_view command, bool failed);

}  // namespace bpftrap
