// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/run_builder.h"

#include <algorithm>
#include <utility>

#include "bpf/scope.h"
#include "core/analysis/time_bounds.h"

namespace bpftrap {

void RunBuilder::begin_batch(const RecordingBatch& batch) {
  if (first_batch_ || batch.run != run_number_) {
    new_run_ = true;
    run_.has_stopped = false;
    if (batch.first_boot_ns != 0) {
      // The record of the clock replaces this, unless it is damaged.
      run_.clock.restart_with(static_cast<std::int64_t>(
          static_cast<std::uint64_t>(batch.first_wall_ns) - batch.first_boot_ns));
    }
  } else if (batch.sequence > next_sequence_) {
    run_.missing_batches += batch.sequence - next_sequence_;
  }
  first_batch_ = false;
  run_number_ = batch.run;
  next_sequence_ = batch.sequence + 1;
}

void RunBuilder::take(std::span<const std::byte> record) {
  Recorded recorded = decode_recorded(record, run_.host.machine);
  if (const auto* decoded = std::get_if<Decoded>(&recorded)) {
    take_decoded(*decoded);
  } else if (auto* host = std::get_if<HostRecord>(&recorded)) {
    take_host(std::move(*host));
  } else if (const auto* run = std::get_if<RunRecord>(&recorded)) {
    take(*run);
  } else if (const auto* stop = std::get_if<StopRecord>(&recorded)) {
    run_.has_stopped = true;
    seen(stop->time);
  } else if (const auto* clock = std::get_if<ClockRecord>(&recorded)) {
    new_run_ ? run_.clock.restart_with(clock->offset_ns)
             : run_.clock.continue_with(clock->since, clock->offset_ns);
  } else if (const auto* loss = std::get_if<LossRecord>(&recorded)) {
    run_.add(*loss);
  } else if (const auto* user = std::get_if<UserRecord>(&recorded)) {
    constexpr std::size_t users_most = 65536;
    if (run_.users.size() < users_most) {
      run_.users.define(user->uid, user->name);
    }
  } else if (const auto* older = std::get_if<OlderRecord>(&recorded)) {
    take(*older);
  } else if (const auto* exec = std::get_if<LastExecRecord>(&recorded)) {
    restore(exec->exec);
  } else if (const auto* birth = std::get_if<BirthRecord>(&recorded)) {
    restore(birth->fork);
  } else {
    ++run_.malformed;
  }
}

void RunBuilder::take_host(HostRecord&& host) {
  if (new_run_ && !run_.host.boot_id.empty() && run_.host.boot_id != host.boot_id) {
    RunGaps gaps{.missing_batches = run_.missing_batches,
                 .malformed = run_.malformed,
                 .earlier_boots = run_.earlier_boots + 1};
    run_ = RecordedRun();
    static_cast<RunGaps&>(run_) = std::move(gaps);
    slots_ = ProcessSlots();
    older_.clear();
    last_cgroup_ = 0;
    cgroups_.reset();
  }
  if (!cgroups_) {
    cgroups_.emplace(host.has_cgroups ? "0::/" : "");
  }
  run_.host = std::move(host);
}

void RunBuilder::take(const RunRecord& record) {
  if (!new_run_) {
    return;  // the beginning of another segment
  }
  new_run_ = false;
  link_older();
  if (run_.processes.empty()) {
    run_.start = bounded(record.time);
  }
  run_.command = record.command;
  run_.has_program = record.has_program;
  run_.filtered = record.filtered;
  seen(record.time);
}

void RunBuilder::take_decoded(const Decoded& decoded) {
  if (const auto* cgroup = std::get_if<CgroupRecord>(&decoded)) {
    if (cgroups_) {
      cgroups_->define(*cgroup);
      last_cgroup_ = 0;
    }
    return;
  }
  if (new_run_) {
    return;  // a damaged beginning
  }
  if (const auto* exit = std::get_if<ExitRecord>(&decoded)) {
    take(*exit);
  } else if (const auto* exec = std::get_if<ExecRecord>(&decoded)) {
    take(*exec, false);
  } else if (const auto* fork = std::get_if<ForkRecord>(&decoded)) {
    take(*fork);
  } else if (const auto* last = std::get_if<FinalRecord>(&decoded)) {
    take(*last);
  } else if (const auto* gone = std::get_if<GoneRecord>(&decoded)) {
    take(*gone);
  }
}

// The state of a process when a segment began. Only the first segment of a file tells more than the
// records before it.
void RunBuilder::restore(const Decoded& decoded) {
  if (new_run_) {
    return;
  }
  if (const auto* exec = std::get_if<ExecRecord>(&decoded)) {
    Index process = find_or_add(exec->process.id);
    if (run_.processes[process].first_exec == no_index) {
      take(*exec, true);
    }
  } else if (const auto* fork = std::get_if<ForkRecord>(&decoded)) {
    Index process = find_or_add(fork->process.id);
    if (!run_.processes[process].born) {
      take(*fork);
    }
  }
}

Index RunBuilder::find_or_add(const ProcessId& id) {
  std::size_t before = run_.processes.size();
  Index index = slots_.find_or_add(run_.processes, id);
  if (run_.processes.size() > before) {
    RunProcess& added = run_.processes[index];
    added.older = added.start() < run_.start;
  }
  return index;
}

TextId RunBuilder::cgroup_of(const Process& process) {
  if (process.cgroup_id != last_cgroup_ && cgroups_) {
    Process completed = process;
    cgroups_->complete(completed);
    last_cgroup_path_ = run_.texts.add_if(completed.cgroup);
    last_cgroup_ = process.cgroup_id;
  }
  return process.cgroup_id == 0 ? TextId::none : last_cgroup_path_;
}

Index RunBuilder::identify(const Process& process, BootTime time) {
  Index parent = process.parent.pid == 0 ? no_index : find_or_add(process.parent);
  Index index = find_or_add(process.id);
  if (parent != no_index && run_.processes[parent].comm == TextId::none) {
    run_.processes[parent].comm = run_.texts.add(process.parent_comm);
  }
  RunProcess& known = run_.processes[index];
  bool is_late = time > state_until_;
  if (!is_late || known.comm == TextId::none) {
    known.comm = run_.texts.add(process.comm);
  }
  if (!is_late || !known.reported) {
    known.reported = true;
    known.local_pid = process.local_pid;
    known.ns_pid = process.ns_pid;
    known.uid = process.uid;
    known.identity = identity_of(process, parent);
    if (TextId cgroup = cgroup_of(process); cgroup != TextId::none) {
      known.cgroup = cgroup;
    }
  }
  if (known.parent == no_index && parent != index) {
    known.parent = parent;
  }
  return index;
}

Index RunBuilder::identity_of(const Process& process, Index parent) {
  RunIdentity identity{process.gid,          process.euid,          process.egid,
                       process.pid_ns_inode, process.login_uid,     process.audit_session,
                       process.session_id,   process.process_group, run_.texts.add_if(process.tty)};
  std::size_t count = run_.identities.size();
  Index of_parent = parent == no_index ? no_index : run_.processes[parent].identity;
  if (of_parent != no_index && run_.identities[of_parent] == identity) {
    return of_parent;
  }
  if (count > 0 && run_.identities[count - 1] == identity) {
    return static_cast<Index>(count - 1);
  }
  run_.identities.grow() = identity;
  return static_cast<Index>(count);
}

void RunBuilder::take(const ForkRecord& fork) {
  seen(fork.time);
  Index index = identify(fork.process, fork.time);
  Index creator = fork.creator.pid == 0 ? no_index : find_or_add(fork.creator);
  Index parent = fork.process.parent.pid == 0 ? no_index : find_or_add(fork.process.parent);
  RunProcess& process = run_.processes[index];
  process.parent = parent == index ? no_index : parent;
  process.creator = creator;
  process.born = true;
  process.at_birth = bounded(fork.account);
  process.birth_comm = run_.texts.add(fork.process.comm);
}

RunSender RunBuilder::sender(const Sender& sender) {
  RunSender known{sender.id.pid == 0 ? no_index : find_or_add(sender.id),
                  run_.texts.add(sender.comm)};
  if (known.process != no_index && run_.processes[known.process].comm == TextId::none) {
    run_.processes[known.process].comm = known.comm;
    run_.processes[known.process].local_pid = sender.local_pid;
  }
  return known;
}

void RunBuilder::take(const ExitRecord& exit) {
  seen(exit.time);
  Index index = identify(exit.process, exit.time);
  if (exit.killer || exit.last_signal) {
    auto at = static_cast<Index>(run_.signals.size());
    RunSignals& signals = run_.signals.grow();
    if (exit.killer) {
      signals.killer = sender(*exit.killer);
    }
    if (exit.last_signal) {
      signals.last_sender = sender(exit.last_signal->sender);
      signals.last_signal = exit.last_signal->signal;
      signals.last_age = exit.last_signal->age;
    }
    run_.processes[index].signals = at;
  }
  Index parent = exit.process.parent.pid == 0 ? no_index : find_or_add(exit.process.parent);
  RunProcess& process = run_.processes[index];
  process.end = bounded(exit.time);
  process.ended = process.end_recorded = true;
  process.end_parent = parent;
  process.wait_status = exit.wait_status;
  process.executed = exit.executed;
  process.oom_killed = exit.oom_killed;
  process.had_threads = exit.had_threads;
  if (!process.cpu_final) {
    process.cpu = bounded(exit.cpu);
    process.cpu_wait = bounded(exit.cpu_wait);
  }
  process.at_end = bounded(exit.parent);
  process.max_rss_bytes = exit.max_rss_bytes;
  process.peak_rss_bytes = exit.peak_rss_bytes;
  process.io = exit.io;
  process.minor_faults = exit.minor_faults;
  process.major_faults = exit.major_faults;
  process.voluntary_switches = exit.voluntary_switches;
  process.involuntary_switches = exit.involuntary_switches;
}

void RunBuilder::take(const GoneRecord& gone) {
  RunProcess& process = run_.processes[find_or_add(gone.id)];
  if (!process.ended) {
    process.ended = true;
    process.end = run_.stop;  // close to it
  }
}

void RunBuilder::take(const FinalRecord& last) {
  // A trace of one tree gets the last accounts of all processes of the machine.
  Index index = slots_.find(run_.processes, last.id);
  if (index == no_index) {
    return;
  }
  RunProcess& process = run_.processes[index];
  process.cpu = bounded(last.cpu);
  process.cpu_wait = bounded(last.cpu_wait);
  process.cpu_final = true;
}

void RunBuilder::take(const OlderRecord& older) {
  if (new_run_) {
    return;
  }
  Index index = find_or_add({older.pid, older.start_ticks * BPFTRAP_TICK_NS});
  older_.push_back({older.pid, older.parent, index});
  RunProcess& process = run_.processes[index];
  process.older = true;
  process.local_pid = older.local_pid;
  if (process.comm == TextId::none) {
    process.comm = run_.texts.add(older.comm);
  }
  if (older.args && process.first_exec == no_index) {
    RunExec& exec = add_exec(index);
    exec.older = true;
    exec.args = add_args(*older.args, exec.args_truncated);
    exec.exe = older.exe.empty() ? TextId::none : run_.texts.add(older.exe);
    exec.cwd = older.cwd.empty() ? TextId::none : run_.texts.add(older.cwd);
    process.executed = true;
  }
}

// A parent may be listed after its children.
void RunBuilder::link_older() {
  std::stable_sort(older_.begin(), older_.end());
  for (const Older& older : older_) {
    auto found = std::upper_bound(older_.begin(), older_.end(), Older{older.parent, 0, no_index});
    Index& parent = run_.processes[older.process].parent;
    if (parent == no_index && found != older_.begin() && (--found)->pid == older.parent &&
        found->process != older.process) {
      parent = found->process;
    }
  }
  older_.clear();
}

// PROGRAM is forked shortly before the recording is live. All other processes descend from it.
void RunBuilder::find_program() {
  for (Index i = 0; i < run_.processes.size(); ++i) {
    if (run_.processes[i].reported &&
        (run_.program == no_index ||
         run_.processes[i].id.start_ns < run_.processes[run_.program].id.start_ns)) {
      run_.program = i;
    }
  }
  if (run_.program != no_index) {
    run_.processes[run_.program].older = false;
  }
}

RecordedRun RunBuilder::finish() {
  link_older();
  if (run_.has_program) {
    find_program();
  }
  run_.link_children();
  RecordedRun run = std::move(run_);
  *this = RunBuilder();
  return run;
}

}  // namespace bpftrap
