// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_findings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/analysis/command_label.h"
#include "core/analysis/program_title.h"
#include "core/analysis/time_bounds.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

nanoseconds cpu_of(const RunProcess& process) {
  return process.cpu.user + process.cpu.system;
}

}  // namespace

std::vector<ProgramTime> times_by_program(const RecordedRun& run, const std::vector<Index>& members,
                                          const CriticalPath& path) {
  std::unordered_map<TextId, ProgramTime> programs;
  // Often several in a row have the same name.
  TextId last_name = TextId::none;
  ProgramTime* last = nullptr;
  auto time_of = [&](TextId name) -> ProgramTime& {
    if (last == nullptr || name != last_name) {
      last = &programs[name];
      last_name = name;
    }
    return *last;
  };
  for (Index index : members) {
    const RunProcess& process = run.processes[index];
    ProgramTime& program = time_of(process.comm);
    ++program.processes;
    program.cpu = saturating_sum(program.cpu, cpu_of(process));
    program.cpu_wait =
        saturating_sum(program.cpu_wait, process.cpu_wait.value_or(nanoseconds::zero()));
  }
  for (const Segment& segment : path.segments) {
    time_of(run.processes[segment.process].comm).on_path += segment.duration();
  }
  std::vector<ProgramTime> sorted;
  for (auto& [name, program] : programs) {
    program.name = run.text(name);
    sorted.push_back(program);
  }
  std::sort(sorted.begin(), sorted.end(), [](const ProgramTime& a, const ProgramTime& b) {
    return std::tie(a.cpu, a.on_path, b.name) > std::tie(b.cpu, b.on_path, a.name);
  });
  return sorted;
}

std::vector<BranchTime> times_by_branch(const RecordedRun& run, const std::vector<Index>& members) {
  Index top = members.front();
  while (run.children(top).size() == 1) {
    top = run.children(top).front();
  }
  std::vector<BranchTime> branches;
  // The branch of each process. Parents are before their children.
  std::vector<Index> branch_of(run.processes.size(), no_index);
  for (Index member : members) {
    const RunProcess& process = run.processes[member];
    Index at = member == members.front() ? no_index : branch_of[process.parent];
    if (process.parent == top) {
      at = static_cast<Index>(branches.size());
      branches.push_back(
          {.process = member, .busiest = member, .wall = run.end_of(member) - process.start()});
    }
    if (at == no_index) {
      continue;
    }
    branch_of[member] = at;
    BranchTime& branch = branches[at];
    ++branch.processes;
    branch.cpu = saturating_sum(branch.cpu, cpu_of(process));
    if (cpu_of(process) > cpu_of(run.processes[branch.busiest])) {
      branch.busiest = member;
    }
  }
  std::sort(branches.begin(), branches.end(), [](const BranchTime& a, const BranchTime& b) {
    return std::tie(a.cpu, a.wall, b.process) > std::tie(b.cpu, b.wall, a.process);
  });
  return branches;
}

namespace {

// Execs whose arguments are those of another one, too.
std::vector<Index> execs_alike(const RecordedRun& run, const std::vector<Index>& members) {
  enum class Seen : std::uint8_t { never, once, again };
  std::vector<Seen> seen(run.texts.size());
  std::vector<Index> execs;
  auto each = [&](auto handle) {
    for (Index member : members) {
      for (Index i = run.processes[member].first_exec; i != no_index; i = run.execs[i].next) {
        const RunExec& exec = run.execs[i];
        if (exec.error == 0 && !exec.older && exec.args != TextId::none && !exec.args_truncated) {
          handle(i, seen[static_cast<std::size_t>(exec.args)]);
        }
      }
    }
  };
  each([](Index, Seen& args) { args = args == Seen::never ? Seen::once : Seen::again; });
  each([&execs](Index exec, Seen args) {
    if (args == Seen::again) {
      execs.push_back(exec);
    }
  });
  return execs;
}

}  // namespace

std::vector<Repeated> repeated_commands(const RecordedRun& run, const std::vector<Index>& members,
                                        nanoseconds least) {
  std::vector<Index> execs = execs_alike(run, members);
  auto key = [&run](Index i) { return std::pair(run.execs[i].args, run.execs[i].cwd); };
  std::sort(execs.begin(), execs.end(), [&](Index a, Index b) { return key(a) < key(b); });
  auto duration = [&run](Index i) {
    const RunExec& exec = run.execs[i];
    Index next = exec.next;
    while (next != no_index && run.execs[next].error != 0) {
      next = run.execs[next].next;
    }
    BootTime end = next == no_index ? run.end_of(exec.process) : run.execs[next].time;
    return std::max(nanoseconds(end - exec.time), nanoseconds::zero());
  };
  std::vector<Repeated> found;
  for (std::size_t i = 0; i < execs.size();) {
    Repeated group{&run.execs[execs[i]]};
    nanoseconds longest{};
    std::size_t end = i;
    for (; end < execs.size() && key(execs[end]) == key(execs[i]); ++end) {
      ++group.times;
      group.duration = saturating_sum(group.duration, duration(execs[end]));
      longest = std::max(longest, duration(execs[end]));
    }
    if (group.times > 1 && group.duration - longest >= least) {
      found.push_back(group);
    }
    i = end;
  }
  std::sort(found.begin(), found.end(),
            [](const Repeated& a, const Repeated& b) { return a.duration > b.duration; });
  return found;
}

FailedLookups failed_lookups(const RecordedRun& run, const std::vector<Index>& members) {
  struct Lookup {
    std::string_view name;
    std::string_view path;
  };
  std::vector<Lookup> lookups;
  for (Index member : members) {
    for (Index i = run.processes[member].first_exec; i != no_index; i = run.execs[i].next) {
      const RunExec& exec = run.execs[i];
      if (exec.error == ENOENT || exec.error == ENOTDIR) {
        std::string_view path = run.text(exec.filename);
        lookups.push_back({program_name(path), path});
      }
    }
  }
  // Sorted, because a process chooses the names and could choose colliding hashes.
  std::sort(lookups.begin(), lookups.end(),
            [](const Lookup& a, const Lookup& b) { return a.name < b.name; });
  FailedLookups found;
  found.count = lookups.size();
  for (std::size_t i = 0; i < lookups.size();) {
    std::size_t end = i;
    while (end < lookups.size() && lookups[end].name == lookups[i].name) {
      ++end;
    }
    if (end - i > found.of_name) {
      found.of_name = end - i;
      found.example = lookups[i].path;
    }
    i = end;
  }
  return found;
}

std::vector<std::string_view> clients_of_servers(const RecordedRun& run,
                                                 const std::vector<Index>& members) {
  constexpr std::array<std::string_view, 12> known{"ccache", "sccache", "bazel",  "bazelisk",
                                                   "buck2",  "docker",  "podman", "distcc",
                                                   "icecc",  "gradle",  "ssh",    "systemd-run"};
  std::vector<std::string_view> found;
  TextId last = TextId::none;  // mostly the next one is the same
  for (Index member : members) {
    for (Index i = run.processes[member].first_exec; i != no_index; i = run.execs[i].next) {
      const RunExec& exec = run.execs[i];
      if (exec.error != 0 || exec.filename == last) {
        continue;
      }
      last = exec.filename;
      std::string_view name = program_name(run.text(exec.filename));
      auto match = std::find(known.begin(), known.end(), name);
      if (match != known.end() && std::find(found.begin(), found.end(), *match) == found.end()) {
        found.push_back(*match);
      }
    }
  }
  return found;
}

Polling find_polling(const RecordedRun& run, const CriticalPath& path) {
  constexpr std::chrono::milliseconds delay_least{2};
  std::unordered_map<Index, Polling> parents;
  for (std::size_t i = 1; i < path.segments.size(); ++i) {
    const Segment& child = path.segments[i - 1];
    const Segment& parent = path.segments[i];
    // It slept on after the end of its child.
    if (parent.sleeps > 0 && parent.blocked() >= delay_least &&
        parent.blocked() * 2 > parent.duration() &&
        run.processes[child.process].parent == parent.process &&
        run.processes[child.process].end <= parent.begin) {
      Polling& polling = parents[parent.process];
      polling.process = parent.process;
      ++polling.times;
      polling.delay += parent.blocked();
    }
  }
  // On a busy machine a child also takes long to end after its record.
  constexpr std::uint64_t times_least = 3;
  Polling most;
  for (const auto& [process, polling] : parents) {
    if (polling.times >= times_least && polling.delay > most.delay) {
      most = polling;
    }
  }
  return most;
}

namespace {

// The standard input or output of a process, if it is a pipe.
TextId pipe_of(const RecordedRun& run, Index process, std::size_t fd) {
  const RunExec* program = run.last_program(process);
  TextId file = program == nullptr ? TextId::none : program->standard_files[fd];
  return run.text(file).starts_with("pipe:") ? file : TextId::none;
}

bool has_standard_files(const RecordedRun& run, const std::vector<Index>& members) {
  return std::any_of(members.begin(), members.end(), [&run](Index member) {
    const RunExec* program = run.last_program(member);
    return program != nullptr && program->standard_files[1] != TextId::none;
  });
}

// A shell started another child at the same time, which still ran then.
bool may_be_in_pipeline(const RecordedRun& run, Index process) {
  constexpr std::chrono::milliseconds apart_most{10};
  Index parent = run.processes[process].parent;
  if (parent == no_index || !is_shell(program_name(run.args(parent)))) {
    return false;
  }
  std::span<const Index> siblings = run.children(parent);
  BootTime start = run.processes[process].start();
  auto first = std::lower_bound(
      siblings.begin(), siblings.end(), start - apart_most,
      [&run](Index sibling, BootTime time) { return run.processes[sibling].start() < time; });
  // Two neighbours on each side are enough: the process itself, and another one.
  return std::any_of(first, siblings.end() - first > 3 ? first + 3 : siblings.end(),
                     [&](Index sibling) {
                       BootTime other = run.processes[sibling].start();
                       return sibling != process && other <= start + apart_most &&
                              run.end_of(sibling) > start && run.end_of(process) > other;
                     });
}

}  // namespace

std::vector<Pipe> find_pipes(const RecordedRun& run, const std::vector<Index>& members,
                             const CriticalPath& path, nanoseconds least) {
  std::vector<nanoseconds> on_path(run.processes.size());
  for (const Segment& segment : path.segments) {
    on_path[segment.process] += segment.duration();
  }
  // The writer of a pipe that ran longest.
  std::unordered_map<TextId, Index> writers;
  auto lifetime = [&run](Index process) {
    return run.end_of(process) - run.processes[process].start();
  };
  for (Index member : members) {
    if (TextId pipe = pipe_of(run, member, 1); pipe != TextId::none) {
      Index& writer = writers.try_emplace(pipe, member).first->second;
      writer = lifetime(member) > lifetime(writer) ? member : writer;
    }
  }
  bool recorded = has_standard_files(run, members);
  // If a pipe has several readers, the one that is longest on the path.
  std::unordered_map<TextId, Pipe> pipes;
  std::vector<Pipe> found;
  for (Index index : members) {
    Pipe pipe{index, no_index, on_path[index]};
    if (pipe.on_path < least || index == path.root) {
      continue;
    }
    if (auto writer = writers.find(pipe_of(run, index, 0)); writer != writers.end()) {
      pipe.writer = writer->second;
      Pipe& known = pipes.try_emplace(writer->first, pipe).first->second;
      known = pipe.on_path > known.on_path ? pipe : known;
    } else if (!recorded && may_be_in_pipeline(run, index)) {
      found.push_back(pipe);
    }
  }
  for (const auto& [id, pipe] : pipes) {
    if (pipe.reader != pipe.writer) {
      found.push_back(pipe);
    }
  }
  std::sort(found.begin(), found.end(), [](const Pipe& a, const Pipe& b) {
    return std::tie(a.on_path, b.reader) > std::tie(b.on_path, a.reader);
  });
  return found;
}

}  // namespace bpftrap
