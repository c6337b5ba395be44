// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/died/words.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>

#include "core/analysis/died/status.h"
#include "core/record/field.h"
#include "core/record/signal_name.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// A signal of longer ago had another purpose than to end the process.
constexpr nanoseconds related = std::chrono::minutes(1);

bool was_signalled(const ExitRecord& exit) {
  return WIFSIGNALED(exit.wait_status);
}

bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGABRT || signal == SIGTRAP || signal == SIGSYS;
}

std::string signalled_headline(const Death& death, const std::string& name) {
  const ExitRecord& exit = death.exit();
  int signal = WTERMSIG(exit.wait_status);
  if (exit.oom_killed) {
    return name + " was killed by the kernel's out-of-memory killer";
  }
  if (death.killer) {
    return fmt::format("{} was killed: {}", name, sending(*death.killer));
  }
  if (death.end.namespace_end) {
    return fmt::format("{} was killed by the kernel: {}, process 1 of its pid namespace, ended",
                       name, label(death.end.namespace_end->record().process));
  }
  return fmt::format("{} {} {}", name, is_crash(signal) ? "crashed:" : "was ended by",
                     signal_name(signal));
}

std::string unsent_meaning(const ExitRecord& exit, int signal) {
  bool of_terminal = signal == SIGINT || signal == SIGQUIT || signal == SIGHUP;
  std::string_view meaning = kernel_signal_meaning(signal);
  if (meaning.empty() || (of_terminal && !exit.process.tty)) {
    return "no other process sent it: it sent the signal to itself, or the sender is unknown";
  }
  return std::string(meaning);
}

std::string interval_text(const History& history) {
  std::string text = fmt::format(", one every {}", human_duration(history.interval));
  if (history.shortest != history.longest) {
    text += fmt::format(" ({} to {})", human_duration(history.shortest),
                        human_duration(history.longest));
  }
  return text;
}

}  // namespace

bool ended_after_signal(const ExitRecord& exit) {
  return !was_signalled(exit) && exit.last_signal && exit.last_signal->age < related;
}

std::string process_label(std::string_view name, Pid pid) {
  std::string text = terminal_safe(name);
  return text + fmt::format("[{}]", pid);
}

std::string label(const Relative& process) {
  return process_label(process.title, process.shown_pid());
}

std::string label(const Process& process) {
  return process_label(process.comm, process.local_pid != 0 ? process.local_pid : process.id.pid);
}

const Relative& responsible(const SignalOrigin& origin) {
  return origin.lineage.members[origin.responsible];
}

std::string sending(const SignalOrigin& origin) {
  const std::vector<Relative>& members = origin.lineage.members;
  std::string text =
      fmt::format("{} sent {}", label(responsible(origin)), signal_name(origin.signal));
  if (origin.responsible > 0) {
    text += " through " + label(members.front());
  }
  return text;
}

std::string headline(const Death& death) {
  const ExitRecord& exit = death.exit();
  std::string name = label(exit.process);
  if (was_signalled(exit)) {
    return signalled_headline(death, name);
  }
  int code = WEXITSTATUS(exit.wait_status);
  std::string text = code == 0 ? fmt::format("{} ended with status 0", name)
                               : fmt::format("{} failed with status {}", name, code);
  if (ended_after_signal(exit) && death.last) {
    text +=
        fmt::format(", {} after {}", human_duration(exit.last_signal->age), sending(*death.last));
  } else if (const FailedChild* child = death.reported ? &*death.reported : nullptr) {
    text += fmt::format(": its {} {} was killed", child->is_child ? "child" : "descendant",
                        label(child->process));
    text += child->killer ? "; " + sending(*child->killer) : "";
  } else if (code == 0) {
    text += ", by itself";
  }
  return text;
}

std::string status_meaning(const Death& death) {
  const ExitRecord& exit = death.exit();
  if (!was_signalled(exit)) {
    StatusSurroundings around{
        .program = exit.process.comm,
        // systemd's child has such a name until it executes the program of the service.
        .of_service_manager =
            (exit.process.parent_comm == "systemd" || exit.process.parent.pid == 1) &&
            exit.process.comm.starts_with('('),
        .in_container = exit.process.container_id.has_value()};
    int code = WEXITSTATUS(exit.wait_status);
    std::string meaning = exit_code_meaning(code, around);
    constexpr int not_found = 127;
    if (code == not_found && death.missing.empty()) {
      meaning += "; its name is not known, because no process tried to execute it";
    }
    return meaning;
  }
  int signal = WTERMSIG(exit.wait_status);
  if (exit.oom_killed) {
    return "memory was short, and the kernel chose this process to free some";
  }
  if (exit.killer) {
    return std::string(sent_signal_meaning(signal));
  }
  if (death.end.namespace_end) {
    return "the end of process 1 ends all others of its pid namespace";
  }
  return unsent_meaning(exit, signal);
}

std::string lost_text(std::uint64_t lost) {
  return fmt::format("{} record{} of that time {} lost: children and senders may be missing", lost,
                     lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
}

std::string history_text(const History& history) {
  if (history.loop) {
    return fmt::format("restart loop: {} ends in turn, each with a failure", history.turns) +
           interval_text(history);
  }
  std::string lost = history.lost == 0 ? std::string()
                                       : fmt::format("; {} more {} lost", history.lost,
                                                     history.lost == 1 ? "end was" : "ends were");
  if (history.count == 0) {
    return "no other such end in the hour before" + lost;
  }
  std::string text = fmt::format("{} such end{} in the hour before, ", history.count,
                                 history.count == 1 ? "" : "s");
  text += history.failed == 0               ? "without a failure"
          : history.failed == history.count ? "with a failure"
                                            : fmt::format("{} with a failure", history.failed);
  // Others have no rhythm.
  constexpr std::size_t ends_of_rhythm = 3;
  constexpr int unsteady = 3;
  bool has_rhythm =
      history.count >= ends_of_rhythm && history.longest / unsteady < history.shortest;
  return text + (has_rhythm ? interval_text(history) : "") + lost;
}

}  // namespace bpftrap
