// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/scope_filter.h"

#include <algorithm>
#include <utility>

namespace bpftrap {

namespace {

// True for the cgroup itself, and for those below it.
bool is_within(std::string_view path, std::string_view cgroup) {
  while (cgroup.ends_with('/')) {
    cgroup.remove_suffix(1);
  }
  return path.starts_with(cgroup) &&
         (path.size() == cgroup.size() || path[cgroup.size()] == '/' || cgroup.empty());
}

}  // namespace

bool matches_globs(const bpftrap_globs& globs, std::string_view name) {
  std::uint64_t at = globs.starts;
  at |= (at & globs.stars) << 1;
  for (char c : name) {
    at = ((at & globs.masks[static_cast<unsigned char>(c)]) << 1) | (at & globs.stars);
    at |= (at & globs.stars) << 1;
  }
  return (at & globs.accepts) != 0;
}

ScopeFilter::ScopeFilter(const bpftrap_scope& scope, ScopeSelection selection, const Users& users,
                         std::function<std::optional<std::string_view>(const Process&)> cgroup_of)
    : scope_(scope),
      keeps_verdicts_(bpftrap_keeps_verdicts(&scope_) != 0),
      selection_(std::move(selection)),
      users_(users),
      cgroup_of_(std::move(cgroup_of)) {}

void ScopeFilter::live(BootTime since) {
  live_since_ = since;
  marks_.clear();
  older_.clear();
  older_execs_.clear();
  older_execs_overflown_ = false;
}

void ScopeFilter::add_older(Pid pid, std::uint64_t start_ticks, Pid parent, Pid local_pid) {
  if (scope_.follow != 0 && older_.size() < marks_most) {
    older_.insert_or_assign(pid, Older{start_ticks, parent, local_pid});
  }
}

ScopeFilter::Mark* ScopeFilter::find(const ProcessId& id) {
  auto found = marks_.find(id);
  return found != marks_.end() ? &found->second : nullptr;
}

ScopeFilter::Mark* ScopeFilter::make(const ProcessId& id) {
  if (marks_.size() >= marks_most) {
    return find(id);
  }
  return &marks_[id];
}

bool ScopeFilter::is_root(Pid local_pid) const {
  const std::vector<Pid>& trees = selection_.trees;
  return local_pid != 0 && std::find(trees.begin(), trees.end(), local_pid) != trees.end();
}

bool ScopeFilter::is_older_in_tree(const ProcessId& id) const {
  auto at = older_.find(id.pid);
  if (at == older_.end() || at->second.start_ticks != id.start_ns / BPFTRAP_TICK_NS) {
    return false;
  }
  // In a recording of chance the parents may form a circle.
  constexpr int generations_most = 4096;
  for (int i = 0; i < generations_most && at != older_.end(); ++i) {
    if (is_root(at->second.local_pid)) {
      return true;
    }
    at = older_.find(at->second.parent);
  }
  return false;
}

bool ScopeFilter::is_followed(const ProcessId& id, Pid local_pid) {
  if (scope_.follow == 0 || is_root(local_pid)) {
    return true;
  }
  Mark* mark = find(id);
  return (mark != nullptr && mark->followed) || is_older_in_tree(id);
}

bool ScopeFilter::is_known_from_birth(const ProcessId& id) const {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(id.start_ns)) >
         live_since_.time_since_epoch();
}

bool ScopeFilter::has_wanted_pid(const Process& process) const {
  return std::any_of(selection_.pids.begin(), selection_.pids.end(), [&](const PidOrId& wanted) {
    return wanted.start_boot_ns != 0 ? process.id == ProcessId{wanted.pid, wanted.start_boot_ns}
                                     : process.local_pid == wanted.pid;
  });
}

bool ScopeFilter::has_wanted_user(const Process& process) const {
  return std::any_of(selection_.users.begin(), selection_.users.end(),
                     [&](const std::string& user) { return users_.id(user) == process.uid; });
}

bool ScopeFilter::has_wanted_name(const Process& process) const {
  if (scope_.filter_names != 0 && !matches_globs(scope_.names, process.comm)) {
    return false;
  }
  return scope_.exclude_names == 0 || !matches_globs(scope_.excluded_names, process.comm);
}

bool ScopeFilter::has_wanted_cgroup(const Process& process) const {
  std::optional<std::string_view> path = cgroup_of_(process);
  return path && std::any_of(selection_.cgroups.begin(), selection_.cgroups.end(),
                             [&](const std::string& cgroup) { return is_within(*path, cgroup); });
}

bool ScopeFilter::is_wanted(const Process& process) const {
  return (scope_.filter_pids == 0 || has_wanted_pid(process)) &&
         (scope_.uids_count == 0 || has_wanted_user(process)) && has_wanted_name(process) &&
         (scope_.cgroups_count == 0 || has_wanted_cgroup(process));
}

bool ScopeFilter::wants(ForkRecord& record) {
  const Process& child = record.process;
  // The number of another process than the parent is known in the initial pid namespace only.
  Pid local_creator = record.creator == child.parent ? child.local_parent : record.creator.pid;
  if (!is_followed(record.creator, local_creator) && !is_root(child.local_pid)) {
    return false;
  }
  if (scope_.follow != 0) {
    if (Mark* mark = make(child.id)) {
      mark->followed = true;
    }
  }
  record.wanted = scope_.write_forks != 0 && is_wanted(child);
  return scope_.report_forks != 0 || record.wanted;
}

bool ScopeFilter::wants(const ExecRecord& record) {
  const Process& process = record.process;
  if (!is_followed(process.id, process.local_pid)) {
    return false;
  }
  bool wanted = is_wanted(process);
  if (record.error != 0) {
    return wanted;
  }
  bool from_birth = is_known_from_birth(process.id);
  if (keeps_verdicts_) {
    Mark* mark = find(process.id);
    if (mark == nullptr && (wanted || !from_birth)) {
      mark = make(process.id);
    }
    if (mark != nullptr && !(scope_.keep_wanted != 0 && mark->verdict == Verdict::wanted)) {
      mark->verdict = wanted ? Verdict::wanted : Verdict::unwanted;
    }
  }
  if (wanted && scope_.exits_of_execs != 0 && !from_birth) {
    older_execs_overflown_ = older_execs_overflown_ || older_execs_.size() >= marks_most;
    if (!older_execs_overflown_) {
      older_execs_.insert(process.id);
    }
  }
  return wanted;
}

bool ScopeFilter::judge_exit(const ExitRecord& record) {
  const Process& process = record.process;
  if (!is_followed(process.id, process.local_pid)) {
    return false;
  }
  if (keeps_verdicts_) {
    Mark* mark = find(process.id);
    if (mark != nullptr && mark->verdict != Verdict::none) {
      return mark->verdict == Verdict::wanted;
    }
    if (record.executed && is_known_from_birth(process.id)) {
      return false;
    }
  }
  return is_wanted(process);
}

bool ScopeFilter::has_reported_exec(const ProcessId& id) {
  if (scope_.exits_of_execs == 0 || is_known_from_birth(id)) {
    return true;
  }
  return older_execs_.erase(id) != 0 || older_execs_overflown_;
}

bool ScopeFilter::is_wanted_end(const ExitRecord& record) const {
  if (scope_.only_executed != 0 && !record.executed) {
    return false;
  }
  if (record.duration.count() < static_cast<std::int64_t>(scope_.min_duration_ns)) {
    return false;
  }
  return scope_.only_failed == 0 || record.wait_status != 0;
}

bool ScopeFilter::wants(const ExitRecord& record) {
  bool wanted = scope_.no_exits == 0 && has_reported_exec(record.process.id) &&
                judge_exit(record) && is_wanted_end(record);
  forget(record.process.id);
  return wanted;
}

void ScopeFilter::forget(const ProcessId& id) {
  marks_.erase(id);
  older_execs_.erase(id);
}

}  // namespace bpftrap
