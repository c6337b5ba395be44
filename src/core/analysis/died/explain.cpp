// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/explain.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "core/analysis/command_label.h"
#include "core/analysis/died/lineage.h"
#include "core/analysis/died/status.h"
#include "core/analysis/program_title.h"
#include "core/record/signal_name.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// A tool sends a signal on behalf of the process that called it.
bool is_tool(const Relative& process) {
  static constexpr std::array<std::string_view, 17> names = {
      "kill", "pkill", "killall", "killall5", "skill",  "fuser", "sudo",    "doas",   "su",
      "env",  "nohup", "setsid",  "nice",     "ionice", "xargs", "runuser", "busybox"};
  return std::find(names.begin(), names.end(), process.title) != names.end();
}

bool is_shell_of_command(const Relative& process) {
  return process.args && runs_command(*process.args);
}

std::size_t find_responsible(const Lineage& lineage) {
  const std::vector<Relative>& members = lineage.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!is_tool(members[i]) && !is_shell_of_command(members[i])) {
      // Process 1 starts programs, but does not decide what they do.
      return i > 0 && members[i].id.pid == 1 ? i - 1 : i;
    }
  }
  return 0;
}

bool mentions(std::string_view args, std::string_view word) {
  return !word.empty() && args.find(word) != std::string_view::npos;
}

// `systemctl stop NAME`, `docker kill ID`: commands that ask another process to send a signal.
bool may_have_asked(std::string_view args, const ExitRecord& exit) {
  std::string_view program = program_name(args);
  if (program == "systemctl" || program == "service") {
    std::string_view unit = exit.process.unit.value_or("");
    std::string_view name = unit.substr(0, unit.rfind('.'));
    static constexpr std::array<std::string_view, 6> everything = {
        "isolate", "reboot", "poweroff", "halt", "kexec", "soft-reboot"};
    return mentions(args, name) ||
           std::any_of(everything.begin(), everything.end(),
                       [args](std::string_view verb) { return mentions(args, verb); });
  }
  if (program == "docker" || program == "podman" || program == "nerdctl" || program == "crictl") {
    static constexpr std::array<std::string_view, 5> verbs = {"stop", "kill", "restart", "rm",
                                                              "down"};
    return exit.process.container_id &&
           std::any_of(verbs.begin(), verbs.end(),
                       [args](std::string_view verb) { return mentions(args, verb); });
  }
  return program == "shutdown" || program == "reboot" || program == "poweroff";
}

std::vector<Relative> requests_at(RecordedRun& run, BootTime time, const ExitRecord& exit) {
  constexpr std::size_t requests_most = 3;
  // The request may end before the signal is sent.
  constexpr auto shortly = std::chrono::seconds(1);
  std::vector<Relative> requests;
  for (Index i = 0; i < run.processes.size() && requests.size() < requests_most; ++i) {
    const RunProcess& process = run.processes[i];
    bool lived = process.start() <= time && (!process.ended || process.end + shortly >= time);
    if (lived && !process.older && may_have_asked(run.args(i), exit)) {
      requests.push_back(relative_at(run, i, time));
    }
  }
  return requests;
}

bool manages_others(const Relative& sender) {
  return sender.id.pid == 1 || sender.comm == "systemd" || sender.comm == "dockerd" ||
         sender.comm.starts_with("containerd") || sender.comm == "conmon" ||
         sender.comm == "runc" || sender.comm == "crun" || sender.comm == "podman";
}

std::optional<Sender> killer_of(const RecordedRun& run, Index index) {
  const RunSignals* signals = run.signals_of(index);
  if (signals == nullptr || !signals->killer || signals->killer->process == no_index) {
    return std::nullopt;
  }
  const RunProcess& sender = run.processes[signals->killer->process];
  return Sender{sender.id, sender.local_pid, run.text(signals->killer->comm)};
}

FailedChild failed_child(const Death& death, RecordedRun& run, Index index, bool is_child) {
  const RunProcess& process = run.processes[index];
  FailedChild failed{.before = death.exit().time - process.end,
                     .process = relative_at(run, index, process.end),
                     .status = status_text(process.wait_status, process.oom_killed),
                     .signal = WIFSIGNALED(process.wait_status) ? WTERMSIG(process.wait_status) : 0,
                     .is_child = is_child};
  if (std::optional<Sender> killer = killer_of(run, index)) {
    failed.killer = explain_signal(*killer, failed.signal, process.end, death.exit(), run);
  }
  return failed;
}

void find_failed(Death& death, RecordedRun& run, Index victim) {
  BootTime end = death.exit().time;
  for (Index i = 0; i < run.processes.size(); ++i) {
    const RunProcess& process = run.processes[i];
    if (process.end_recorded && process.wait_status != 0 && process.end <= end &&
        end - process.end <= failures_before && i != victim && descends_from(run, i, victim)) {
      death.failed.push_back(failed_child(death, run, i, parent_of(run, i) == victim));
    }
  }
  std::stable_sort(death.failed.begin(), death.failed.end(),
                   [](const FailedChild& a, const FailedChild& b) { return a.before > b.before; });
}

// A PATH search tries one directory after the other: it found the program if the last one worked.
bool found_later(const RecordedRun& run, const RunExec& failed) {
  for (Index i = failed.next; i != no_index; i = run.execs[i].next) {
    if (run.execs[i].error == 0 &&
        program_name(run.text(run.execs[i].filename)) == program_name(run.text(failed.filename))) {
      return true;
    }
  }
  return false;
}

void find_missing(Death& death, RecordedRun& run, Index victim) {
  BootTime end = death.exit().time;
  std::map<std::pair<Index, std::string_view>, std::size_t> known;
  for (Index i = 0; i < run.execs.size(); ++i) {
    const RunExec& exec = run.execs[i];
    if (exec.error == 0 || exec.filename == TextId::none || exec.time > end ||
        end - exec.time > failures_before || found_later(run, exec) ||
        (exec.process != victim && !descends_from(run, exec.process, victim))) {
      continue;
    }
    std::string_view name = program_name(run.text(exec.filename));
    auto [place, is_new] = known.try_emplace({exec.process, name}, death.missing.size());
    if (is_new) {
      death.missing.push_back(
          {.process = relative_at(run, exec.process, exec.time), .name = std::string(name)});
    }
    MissingProgram& missing = death.missing[place->second];
    missing.before = end - exec.time;
    ++missing.attempts;
    // Any other error tells more than that one directory does not have it.
    if (exec.error != ENOENT || missing.error.empty()) {
      missing.error = errno_name(exec.error);
    }
  }
}

std::string joined_names(const Lineage& lineage, std::size_t from) {
  std::string names;
  for (std::size_t i = from; i < lineage.members.size(); ++i) {
    const Relative& one = lineage.members[i];
    names += fmt::format("{}[{}]", one.comm, one.id.pid);
    names += '\0';
  }
  if (lineage.more) {
    names += "…";
    names += '\0';
  }
  return names;
}

std::string joined_ids(const Lineage& lineage, std::size_t from) {
  std::string ids;
  for (std::size_t i = from; i < lineage.members.size(); ++i) {
    const ProcessId& id = lineage.members[i].id;
    ids += fmt::format("{}-{}", id.pid, id.start_ns);
    ids += '\0';
  }
  return ids;
}

Lineage ancestors_at_end(RecordedRun& run, const ExitRecord& exit) {
  const Process& process = exit.process;
  if (process.parent.pid == 0) {
    return {};
  }
  Index parent = find_process(run, process.parent);
  if (parent != no_index) {
    return lineage_at(run, parent, exit.time);
  }
  Relative known{.id = process.parent,
                 .local_pid = process.local_parent,
                 .comm = std::string(process.parent_comm),
                 .title = std::string(process.parent_comm)};
  return {.members = {known}, .more = process.parent.pid != 1};
}

}  // namespace

void explain_end(Death& death, RecordedRun& run) {
  const ExitRecord& exit = death.exit();
  death.user = std::string(run.users.name(exit.process.uid));
  death.ancestors = ancestors_at_end(run, exit);
  death.lost = run.lost();
  Index victim = find_process(run, exit.process.id);
  if (victim == no_index) {
    return;
  }
  if (const RunExec* program = run.last_program(victim)) {
    auto text = [&run](TextId id) { return run.texts.get(id); };
    std::optional<Arguments> args;
    if (std::optional<std::string_view> bytes = text(program->args)) {
      args = Arguments{*bytes, program->args_truncated};
    }
    death.end.exit.set_program(text(program->filename), text(program->exe), text(program->cwd),
                               args);
  }
  find_failed(death, run, victim);
  find_missing(death, run, victim);
}

SignalOrigin explain_signal(const Sender& sender, int signal, BootTime time, const ExitRecord& exit,
                            RecordedRun& run) {
  SignalOrigin origin{.signal = signal};
  Index index = find_process(run, sender.id);
  if (index != no_index) {
    origin.lineage = lineage_at(run, index, time);
  } else {
    origin.lineage.more = sender.id.pid != 1;
    origin.lineage.members.push_back({.id = sender.id, .local_pid = sender.local_pid});
  }
  Relative& first = origin.lineage.members.front();
  first.comm = std::string(sender.comm);
  if (!first.args) {
    first.title = first.comm;
  }
  origin.responsible = find_responsible(origin.lineage);
  if (manages_others(first)) {
    origin.requests = requests_at(run, time, exit);
  }
  return origin;
}

const FailedChild* reported_child(const Death& death) {
  int status = death.exit().wait_status;
  std::optional<int> signal =
      WIFSIGNALED(status) ? std::nullopt : signal_of_exit_code(WEXITSTATUS(status));
  for (auto one = death.failed.rbegin(); signal && one != death.failed.rend(); ++one) {
    if (one->signal == *signal) {
      return &*one;
    }
  }
  return nullptr;
}

History judge_history(const ExitRecord& exit, const std::vector<RecentEnd>& recent) {
  History history{.count = recent.size()};
  std::vector<nanoseconds> intervals;
  bool unbroken = exit.wait_status != 0;
  history.turns = unbroken ? 1 : 0;
  RecentEnd next{exit.time, exit.duration, exit.wait_status};
  for (auto one = recent.rbegin(); one != recent.rend(); ++one) {
    history.failed += one->wait_status != 0 ? 1 : 0;
    intervals.push_back(next.time - one->time);
    unbroken = unbroken && one->wait_status != 0 && one->time <= next.start();
    history.turns += unbroken ? 1 : 0;
    next = *one;
  }
  constexpr std::size_t turns_of_loop = 3;
  history.loop = history.turns >= turns_of_loop;
  if (intervals.empty()) {
    return history;
  }
  if (history.loop) {
    intervals.resize(history.turns - 1);
  }
  std::sort(intervals.begin(), intervals.end());
  history.shortest = intervals.front();
  history.longest = intervals.back();
  history.interval = intervals[intervals.size() / 2];
  return history;
}

DeathRecord death_record(const Death& death) {
  DeathRecord record{death.exit()};
  record.ancestors = joined_names(death.ancestors, 0);
  record.ancestor_ids = joined_ids(death.ancestors, 0);
  if (death.killer) {
    const Lineage& lineage = death.killer->lineage;
    record.killer_args = lineage.members.front().args;
    record.killer_ancestors = joined_names(lineage, 1);
    record.killer_ancestor_ids = joined_ids(lineage, 1);
  }
  record.recent = death.recent.size();
  return record;
}

}  // namespace bpftrap
