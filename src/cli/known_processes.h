// SPDX-License-Identifier: GPL-2.0-only
// Processes that options name, as BPF programs know them: by their ids in the initial pid
// namespace.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/scope.h"
#include "cli/filter_options.h"
#include "cli/pid_namespace_programs.h"
#include "core/os/caller.h"
#include "core/output/output_file.h"
#include "core/process/followed.h"
#include "core/process/named_processes.h"
#include "core/process/program.h"

namespace bpftrap {

struct KnownProcesses {
  OwnIds own;  // of bpftrap itself
  std::optional<ProcessLister> lister;
  std::vector<NamedProcess> pids;   // of --pid
  std::vector<NamedProcess> trees;  // of --tree
};

// Finds the processes that options name, by number in bpftrap's own pid namespace or by id. `btf`:
// as in --btf. Throws Error if one does not exist.
KnownProcesses find_known_processes(std::string_view command, const FilterOptions& options,
                                    const std::string& btf, bool verbose);

// Lists the processes that exist, for their ancestors. Empty if this kernel does not allow it in a
// pid namespace of its own.
ProcessList list_processes(KnownProcesses& known, std::string_view command, const std::string& btf);

// Tells the programs the pid namespace of bpftrap.
void set_own_namespace(bpftrap_scope& scope, const OwnIds& own);

// Marks the trees, once the programs are attached. Throws Error, also if none of the named
// processes lives any more: nothing would be traced.
void follow_trees(Followed& followed, KnownProcesses& known);

// The user who PROGRAM runs as and who owns new output files. None without PROGRAM or without sudo:
// then bpftrap's own. Throws Error.
std::optional<Caller> caller_for(const std::vector<std::string>& program);
std::optional<FileOwner> owner_of(const std::optional<Caller>& caller);

// Forks PROGRAM so that the kernel marks it as it is born. If that fails, throws Error: then
// PROGRAM has not executed anything. `founder`: the variable of src/bpf/process_fork.bpf.h.
std::unique_ptr<Program> fork_followed(const ProgramOptions& options, bpftrap_founder& founder,
                                       Pid own_tid);

}  // namespace bpftrap
