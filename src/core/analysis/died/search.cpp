// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/search.h"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "bpf/process.event.h"
#include "bpf/scope.h"

namespace bpftrap {

namespace {

using std::chrono::seconds;

// Text of /proc/self/cgroup with which CgroupPaths knows paths.
std::string_view proc_cgroup(const HostRecord& host) {
  return host.has_cgroups ? "0::/" : "";
}

BootTime start_of(const ExitRecord& exit) {
  return exit.time - exit.duration;
}

// Only the kernel ends a process in this way: with process 1 of its namespace.
bool may_end_with_namespace(const ExitRecord& exit) {
  return WIFSIGNALED(exit.wait_status) && WTERMSIG(exit.wait_status) == SIGKILL && !exit.killer &&
         !exit.oom_killed;
}

bool is_helper(const ExitRecord& one, const ExitRecord& other) {
  constexpr auto adjacent = seconds(2);
  bool overlaps = start_of(one) < other.time && start_of(other) < one.time;
  if (overlaps) {
    return other.duration > one.duration;
  }
  bool is_near = start_of(one) - adjacent < other.time && start_of(other) - adjacent < one.time;
  if (!is_near || one.process.comm == other.process.comm) {
    return false;
  }
  bool failed = one.wait_status != 0;
  bool other_failed = other.wait_status != 0;
  return failed != other_failed ? other_failed : other.duration > one.duration;
}

}  // namespace

DeathSearch::DeathSearch(const WhoMatcher& matcher, std::uint64_t ends) : matcher_(matcher) {
  // A service has some processes beside its main process: see drop_helpers().
  constexpr std::uint64_t per_service = 4;
  constexpr std::uint64_t least = 4096;
  ends_most_ = std::max(std::min(ends, UINT64_MAX / per_service) * per_service, least);
}

void DeathSearch::begin_segment() {
  host_.boot_id.clear();  // a damaged segment may not say its boot
  cgroups_.reset();
  living_.clear();
  namespace_ends_.clear();
  ends_.clear();
}

void DeathSearch::take(std::span<const std::byte> record) {
  Recorded recorded = decode_recorded(record, host_.machine);
  if (auto* decoded = std::get_if<Decoded>(&recorded)) {
    take(*decoded);
  } else if (auto* host = std::get_if<HostRecord>(&recorded)) {
    host_ = std::move(*host);
    cgroups_.emplace(proc_cgroup(host_));
  } else if (const auto* older = std::get_if<OlderRecord>(&recorded)) {
    take(*older);
  } else if (const auto* exec = std::get_if<LastExecRecord>(&recorded)) {
    seen(exec->exec.process);
  } else if (const auto* birth = std::get_if<BirthRecord>(&recorded)) {
    seen(birth->fork.process);
  } else if (std::holds_alternative<StopRecord>(recorded)) {
    stopped_ = true;
  } else if (const auto* run = std::get_if<RunRecord>(&recorded)) {
    stopped_ = false;
    filtered_ = run->filtered;
  } else if (const auto* loss = std::get_if<LossRecord>(&recorded)) {
    gaps_.add(*loss);
  } else if (std::holds_alternative<Malformed>(recorded)) {
    ++gaps_.malformed;
  }
}

void DeathSearch::take(Decoded& decoded) {
  if (const auto* exec = std::get_if<ExecRecord>(&decoded)) {
    if (exec->error == 0) {
      seen(exec->process);
    }
  } else if (const auto* exit = std::get_if<ExitRecord>(&decoded)) {
    take(*exit);
  } else if (const auto* fork = std::get_if<ForkRecord>(&decoded)) {
    seen(fork->process);
  } else if (const auto* gone = std::get_if<GoneRecord>(&decoded)) {
    forget(gone->id);
  } else if (const auto* cgroup = std::get_if<CgroupRecord>(&decoded); cgroup && cgroups_) {
    cgroups_->define(*cgroup);
  }
}

void DeathSearch::take(const OlderRecord& older) {
  ProcessId id{older.pid, older.start_ticks * BPFTRAP_TICK_NS};
  if (matcher_.matches(id, older.local_pid, older.comm)) {
    living_.insert_or_assign(id,
                             LivingMatch{id, older.local_pid, std::string(older.comm), !filtered_});
  }
}

void DeathSearch::seen(Process process) {
  if (cgroups_) {
    cgroups_->complete(process);
  }
  forget(process.id);
  if (matcher_.matches(process)) {
    living_.insert_or_assign(process.id,
                             LivingMatch{process.id, process.local_pid, std::string(process.comm)});
  }
}

void DeathSearch::forget(const ProcessId& id) {
  living_.erase(id);
  // /proc told the tick only.
  living_.erase(ProcessId{id.pid, id.start_ns / BPFTRAP_TICK_NS * BPFTRAP_TICK_NS});
}

bool DeathSearch::is_main(const Process& process) const {
  switch (matcher_.who().kind) {
    case Who::Kind::unit:
      if (matcher_.who().text.ends_with(".service")) {
        return process.parent.pid == 1 || process.parent_comm == "systemd";
      }
      return !living_.contains(process.parent);
    case Who::Kind::container:
      return process.pid_ns_inode != host_.pid_ns_inode ? process.ns_pid == 1
                                                        : !living_.contains(process.parent);
    case Who::Kind::pid:
    case Who::Kind::id:
    case Who::Kind::name:
      break;
  }
  return true;
}

void DeathSearch::take(const ExitRecord& exit) {
  ExitRecord completed = exit;
  if (cgroups_) {
    cgroups_->complete(completed.process);
  }
  const Process& process = completed.process;
  if (process.ns_pid == 1 && process.pid_ns_inode != host_.pid_ns_inode) {
    namespace_ends_[process.pid_ns_inode] = std::make_shared<const KeptExit>(completed);
  }
  if (matcher_.matches(process) && is_main(process)) {
    if (ends_.size() == ends_most_) {
      ends_.pop_front();
    }
    FoundEnd found{KeptExit(completed), host_.boot_id};
    auto ended = namespace_ends_.find(process.pid_ns_inode);
    constexpr auto just_before = seconds(5);
    if (ended != namespace_ends_.end() && process.ns_pid != 1 && may_end_with_namespace(exit) &&
        exit.time - ended->second->record().time < just_before) {
      found.namespace_end = ended->second;
    }
    ends_.push_back(std::move(found));
  }
  forget(exit.process.id);
}

std::vector<LivingMatch> DeathSearch::living() const {
  std::vector<LivingMatch> living;
  for (const auto& [id, match] : living_) {
    living.push_back(match);
  }
  std::sort(living.begin(), living.end(), [](const LivingMatch& a, const LivingMatch& b) {
    return a.id.start_ns < b.id.start_ns;
  });
  return living;
}

void drop_helpers(std::deque<FoundEnd>& ends) {
  std::vector<bool> helps(ends.size());
  // Only neighbours in time can be helpers of each other.
  constexpr std::size_t neighbours = 8;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    std::size_t first = i > neighbours ? i - neighbours : 0;
    std::size_t last = std::min(i + neighbours + 1, ends.size());
    for (std::size_t j = first; j < last; ++j) {
      helps[i] = helps[i] || (i != j && is_helper(ends[i].exit.record(), ends[j].exit.record()));
    }
  }
  std::deque<FoundEnd> kept;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (!helps[i]) {
      kept.push_back(std::move(ends[i]));
    }
  }
  ends = std::move(kept);
}

void RecentEnds::take(std::span<const std::byte> record) {
  Recorded recorded = decode_recorded(record, machine_);
  if (const auto* host = std::get_if<HostRecord>(&recorded)) {
    machine_ = host->machine;
    cgroups_.emplace(proc_cgroup(*host));
  } else if (const auto* decoded = std::get_if<Decoded>(&recorded)) {
    if (const auto* exit = std::get_if<ExitRecord>(decoded)) {
      take(*exit);
    } else if (const auto* cgroup = std::get_if<CgroupRecord>(decoded); cgroup && cgroups_) {
      cgroups_->define(*cgroup);
    }
  } else if (const auto* loss = std::get_if<LossRecord>(&recorded)) {
    bool inside = loss->time >= since() && loss->time <= death_.time;
    lost_ += inside ? loss->lost.records[BPFTRAP_RECORD_EXIT] : 0;
  }
}

void RecentEnds::take(const ExitRecord& exit) {
  if (exit.time < since() || exit.time >= death_.time || exit.process.comm != death_.process.comm ||
      exit.process.parent_comm != death_.process.parent_comm || ends_.size() == ends_most) {
    return;
  }
  Process process = exit.process;
  if (cgroups_) {
    cgroups_->complete(process);
  }
  if (process.unit == death_.process.unit) {
    ends_.push_back({exit.time, exit.duration, exit.wait_status});
  }
}

std::vector<RecentEnd> RecentEnds::finish() {
  std::sort(ends_.begin(), ends_.end(),
            [](const RecentEnd& a, const RecentEnd& b) { return a.time < b.time; });
  return std::move(ends_);
}

}  // namespace bpftrap
