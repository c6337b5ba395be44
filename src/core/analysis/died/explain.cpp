// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/explain.h"

#include <fmt/format.h>
#include <fnmatch.h>
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
#include "core/os/split.h"
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

using Words = std::vector<std::string_view>;

template <std::size_t count>
bool has_any(const Words& words, const std::array<std::string_view, count>& wanted) {
  return std::any_of(words.begin(), words.end(), [&wanted](std::string_view word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
  });
}

// Patterns are those of systemctl, which takes a name without a suffix for that of a service.
bool names_unit(const Words& words, std::string_view unit) {
  return std::any_of(words.begin(), words.end(), [unit](std::string_view word) {
    std::string pattern(word);
    return !pattern.empty() && (::fnmatch(pattern.c_str(), std::string(unit).c_str(), 0) == 0 ||
                                pattern + ".service" == unit);
  });
}

bool may_have_asked_systemd(const Words& words, std::string_view unit) {
  static constexpr std::array<std::string_view, 10> verbs = {
      "stop",    "restart", "try-restart", "reload-or-restart", "try-reload-or-restart",
      "disable", "mask",    "kill",        "condrestart",       "force-reload"};
  static constexpr std::array<std::string_view, 9> for_all = {"isolate", "reboot",    "poweroff",
                                                              "halt",    "kexec",     "soft-reboot",
                                                              "rescue",  "emergency", "exit"};
  return has_any(words, for_all) || (has_any(words, verbs) && names_unit(words, unit));
}

// `systemctl stop NAME`, `docker kill ID`: commands that ask another process to send a signal.
bool may_have_asked(std::string_view args, const ExitRecord& exit) {
  std::string_view program = program_name(args);
  Words words = split(args, '\0');
  if (program == "systemctl" || program == "service") {
    return may_have_asked_systemd(words, exit.process.unit.value_or(""));
  }
  if (program == "docker" || program == "podman" || program == "nerdctl" || program == "crictl") {
    static constexpr std::array<std::string_view, 5> verbs = {"stop", "kill", "restart", "rm",
                                                              "down"};
    return exit.process.container_id && has_any(words, verbs);
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

// The last failures below a process, in the order of time.
class LastFailures {
 public:
  explicit LastFailures(const RecordedRun& run) : run_(run) {}

  void add(Index process) {
    ++count_;
    auto later = [this](Index a, Index b) { return run_.processes[a].end < run_.processes[b].end; };
    last_.insert(std::upper_bound(last_.begin(), last_.end(), process, later), process);
    if (last_.size() > failures_most) {
      last_.erase(last_.begin());
    }
  }
  const std::vector<Index>& last() const { return last_; }
  std::size_t count() const { return count_; }

 private:
  const RecordedRun& run_;
  std::vector<Index> last_;
  std::size_t count_ = 0;
};

void find_failed(Death& death, RecordedRun& run, Index victim) {
  const ExitRecord& exit = death.exit();
  std::optional<int> told = WIFSIGNALED(exit.wait_status)
                                ? std::nullopt
                                : signal_of_exit_code(WEXITSTATUS(exit.wait_status));
  LastFailures failures(run);
  LastFailures signalled(run);
  for (Index i = 0; i < run.processes.size(); ++i) {
    const RunProcess& process = run.processes[i];
    if (process.end_recorded && process.wait_status != 0 && process.end <= exit.time &&
        exit.time - process.end <= failures_before && i != victim &&
        descends_from(run, i, victim)) {
      failures.add(i);
      if (told && WIFSIGNALED(process.wait_status) && WTERMSIG(process.wait_status) == *told) {
        signalled.add(i);
      }
    }
  }
  auto child = [&](Index i) { return failed_child(death, run, i, parent_of(run, i) == victim); };
  for (Index i : failures.last()) {
    death.failed.push_back(child(i));
  }
  death.failed_count = failures.count();
  if (!signalled.last().empty()) {
    death.reported = child(signalled.last().back());
  }
}

// A PATH search tries one directory after the other: it found the program if the last one worked.
class PathSearches {
 public:
  explicit PathSearches(const RecordedRun& run) : run_(run), found_(run.execs.size()) {}

  // Called for all execs, the last one first.
  bool has_found(Index index) {
    const RunExec& exec = run_.execs[index];
    bool goes_on =
        exec.next != no_index && program_name(run_.text(run_.execs[exec.next].filename)) ==
                                     program_name(run_.text(exec.filename));
    found_[index] = exec.error == 0 || (goes_on && found_[exec.next]);
    return found_[index];
  }

 private:
  const RecordedRun& run_;
  std::vector<bool> found_;
};

void find_missing(Death& death, RecordedRun& run, Index victim) {
  BootTime end = death.exit().time;
  PathSearches searches(run);
  std::map<std::pair<Index, std::string_view>, std::size_t> known;
  for (Index i = static_cast<Index>(run.execs.size()); i-- > 0;) {
    const RunExec& exec = run.execs[i];
    if (searches.has_found(i) || exec.filename == TextId::none || exec.time > end ||
        end - exec.time > failures_before ||
        (exec.process != victim && !descends_from(run, exec.process, victim))) {
      continue;
    }
    std::string_view name = program_name(run.text(exec.filename));
    auto place = known.find({exec.process, name});
    if (place == known.end()) {
      if (known.size() == failures_most) {
        continue;
      }
      place = known.emplace(std::pair(exec.process, name), death.missing.size()).first;
      death.missing.push_back({.before = end - exec.time,
                               .process = relative_at(run, exec.process, exec.time),
                               .name = std::string(name)});
    }
    MissingProgram& missing = death.missing[place->second];
    ++missing.attempts;
    // Any other error tells more than that one directory does not have it.
    if (missing.error.empty() || missing.error == errno_name(ENOENT)) {
      missing.error = errno_name(exec.error);
    }
  }
  std::reverse(death.missing.begin(), death.missing.end());
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
  death.lost = run.lost(exit.time - failures_before, exit.time);
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

History judge_history(const ExitRecord& exit, const std::vector<RecentEnd>& recent,
                      std::uint64_t lost) {
  History history{.count = recent.size(), .lost = lost};
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
