// SPDX-License-Identifier: GPL-2.0-only
// Applies the filters of the BPF programs (src/bpf/scope.bpf.h) to records that were recorded
// without them. It answers as the kernel would have done, had it been asked at the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bpf/scope.h"
#include "core/os/users.h"
#include "core/record/record.h"
#include "core/text/units.h"

namespace bpftrap {

// Values of filters that the kernel would have in maps. Numbers are those of the recorder's pid
// namespace, and stand for every process that had them.
struct ScopeSelection {
  std::vector<PidOrId> pids = {};
  std::vector<Pid> trees = {};
  std::vector<std::string> users = {};    // names or numbers
  std::vector<std::string> cgroups = {};  // paths as in records
};

class ScopeFilter {
 public:
  // Processes whose state is kept at most.
  static constexpr std::size_t marks_most = std::size_t{1} << 19;

  // `users`: the names at that time. `cgroup_of`: the path of the process's cgroup.
  ScopeFilter(const bpftrap_scope& scope, ScopeSelection selection, const Users& users,
              std::function<std::optional<std::string_view>(const Process&)> cgroup_of);

  // A run of the recorder began. Forgets all processes.
  void live(BootTime since);
  // A process that existed then: its pid and parent in the initial pid namespace.
  void add_older(Pid pid, std::uint64_t start_ticks, Pid parent, Pid local_pid);

  // True if the kernel would have sent the record. Call each once, in the order of the records.
  bool wants(ForkRecord& record);  // sets `wanted`
  bool wants(const ExecRecord& record);
  bool wants(const ExitRecord& record);
  void forget(const ProcessId& id);

 private:
  enum class Verdict : std::uint8_t { none, wanted, unwanted };
  struct Mark {
    bool followed = false;
    Verdict verdict = Verdict::none;
  };
  struct Older {
    std::uint64_t start_ticks = 0;
    Pid parent = 0;
    Pid local_pid = 0;
  };

  Mark* find(const ProcessId& id);
  Mark* make(const ProcessId& id);
  bool is_root(Pid local_pid) const;
  bool is_followed(const ProcessId& id, Pid local_pid);
  bool is_older_in_tree(const ProcessId& id) const;
  bool is_known_from_birth(const ProcessId& id) const;
  bool has_wanted_pid(const Process& process) const;
  bool has_wanted_user(const Process& process) const;
  bool has_wanted_name(const Process& process) const;
  bool has_wanted_cgroup(const Process& process) const;
  bool is_wanted(const Process& process) const;
  bool judge_exit(const ExitRecord& record);
  bool has_reported_exec(const ProcessId& id);
  bool is_wanted_end(const ExitRecord& record) const;

  bpftrap_scope scope_;
  bool keeps_verdicts_;
  ScopeSelection selection_;
  const Users& users_;
  std::function<std::optional<std::string_view>(const Process&)> cgroup_of_;
  BootTime live_since_;
  std::unordered_map<ProcessId, Mark, ProcessIdHash> marks_;
  std::unordered_map<Pid, Older> older_;
  std::unordered_set<ProcessId, ProcessIdHash> older_execs_;
  bool older_execs_overflown_ = false;
};

// True if one of the globs matches the name: globs_match() of src/bpf/scope.bpf.h.
bool matches_globs(const bpftrap_globs& globs, std::string_view name);

}  // namespace bpftrap
