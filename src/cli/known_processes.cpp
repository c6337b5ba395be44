// SPDX-License-Identifier: GPL-2.0-only
#include "cli/known_processes.h"

#include "core/bpf/libbpf_log.h"
#include "core/os/error.h"

namespace bpftrap {

KnownProcesses find_known_processes(std::string_view command, const FilterOptions& options,
                                    const std::string& btf, bool verbose) {
  LibbpfLog log(verbose);
  KnownProcesses known;
  known.own = own_ids(command, btf);
  if (options.pids.empty() && options.trees.empty()) {
    return known;
  }
  known.lister.emplace(command, btf);
  for (const PidOrId& pid : options.pids) {
    known.pids.push_back(known.lister->find(pid, "--pid"));
  }
  for (Pid pid : options.trees) {
    known.trees.push_back(known.lister->find({pid}, "--tree"));
  }
  return known;
}

ProcessList list_processes(KnownProcesses& known, std::string_view command,
                           const std::string& btf) {
  try {
    if (!known.lister) {
      known.lister.emplace(command, btf);
    }
    return known.lister->list();
  } catch (const Error&) {
    return ProcessList({});
  }
}

void set_own_namespace(bpftrap_scope& scope, const OwnIds& own) {
  scope.own_level = own.level;
  scope.own_namespace = own.pid_namespace;
}

void follow_trees(Followed& followed, KnownProcesses& known) {
  for (const NamedProcess& root : known.trees) {
    followed.add_tree(root.process, [&known] { return known.lister->list(); });
  }
  const char* option = all_have_ended(known.pids) ? "--pid" : nullptr;
  if (all_have_ended(known.trees) && followed.count() == 0) {
    option = "--tree";
  }
  if (option != nullptr) {
    throw Error(std::string("all processes of ") + option + " ended before tracing began", 0);
  }
}

std::optional<Caller> caller_for(const std::vector<std::string>& program) {
  return program.empty() ? std::nullopt : calling_user();
}

std::optional<FileOwner> owner_of(const std::optional<Caller>& caller) {
  return caller ? std::optional(FileOwner{caller->uid, caller->gid}) : std::nullopt;
}

std::unique_ptr<Program> fork_followed(const ProgramOptions& options, bpftrap_founder& founder,
                                       Pid own_tid) {
  founder.tid = own_tid;
  auto program = std::make_unique<Program>(options);
  founder.tid = 0;
  if (founder.child_pid == 0) {
    throw Error("cannot follow '" + options.argv.front() + "': the kernel did not report its fork",
                0, "see `sudo bpftrap doctor`");
  }
  return program;
}

}  // namespace bpftrap
