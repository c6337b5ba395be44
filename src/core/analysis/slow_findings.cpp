// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/slow_findings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/analysis/command_label.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

nanoseconds cpu_of(const RunProcess& process) {
  return process.cpu.user + process.cpu.system;
}

BootTime end_of(const RecordedRun& run, Index process) {
  return run.processes[process].ended ? run.processes[process].end : run.stop;
}

// Saturates, because processes of a damaged recording may have any times.
void add(nanoseconds& sum, nanoseconds time) {
  sum += std::min(time, nanoseconds::max() - sum);
}

}  // namespace

std::vector<ProgramTime> times_by_program(const RecordedRun& run, const std::vector<Index>& members,
                                          const CriticalPath& path) {
  std::unordered_map<TextId, ProgramTime> programs;
  for (Index index : members) {
    const RunProcess& process = run.processes[index];
    ProgramTime& program = programs[process.comm];
    ++program.processes;
    add(program.cpu, cpu_of(process));
    add(program.cpu_wait, process.cpu_wait.value_or(nanoseconds::zero()));
  }
  for (const Segment& segment : path.segments) {
    programs[run.processes[segment.process].comm].on_path += segment.duration();
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
  std::vector<BranchTime> sums(run.processes.size());
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    const RunProcess& process = run.processes[*member];
    BranchTime& sum = sums[*member];
    ++sum.processes;
    add(sum.cpu, cpu_of(process));
    auto take_busier = [&run](BranchTime& branch, Index other) {
      if (branch.busiest == no_index ||
          cpu_of(run.processes[other]) > cpu_of(run.processes[branch.busiest])) {
        branch.busiest = other;
      }
    };
    take_busier(sum, *member);
    if (*member != members.front()) {
      BranchTime& parent = sums[process.parent];
      parent.processes += sum.processes;
      add(parent.cpu, sum.cpu);
      take_busier(parent, sum.busiest);
    }
  }
  std::vector<BranchTime> branches;
  for (Index child : run.children(top)) {
    BranchTime& branch = branches.emplace_back(sums[child]);
    branch.process = child;
    branch.wall = end_of(run, child) - run.processes[child].start();
  }
  std::sort(branches.begin(), branches.end(), [](const BranchTime& a, const BranchTime& b) {
    return std::tie(a.cpu, a.wall, b.process) > std::tie(b.cpu, b.wall, a.process);
  });
  return branches;
}

std::vector<Repeated> repeated_commands(const RecordedRun& run, const std::vector<Index>& members,
                                        nanoseconds least) {
  std::vector<Index> execs;
  for (Index member : members) {
    for (Index i = run.processes[member].first_exec; i != no_index; i = run.execs[i].next) {
      const RunExec& exec = run.execs[i];
      if (exec.error == 0 && !exec.older && exec.args != TextId::none && !exec.args_truncated) {
        execs.push_back(i);
      }
    }
  }
  auto key = [&run](Index i) { return std::pair(run.execs[i].args, run.execs[i].cwd); };
  std::sort(execs.begin(), execs.end(), [&](Index a, Index b) { return key(a) < key(b); });
  auto duration = [&run](Index i) {
    const RunExec& exec = run.execs[i];
    Index next = exec.next;
    while (next != no_index && run.execs[next].error != 0) {
      next = run.execs[next].next;
    }
    BootTime end = next == no_index ? end_of(run, exec.process) : run.execs[next].time;
    return std::max(nanoseconds(end - exec.time), nanoseconds::zero());
  };
  std::vector<Repeated> found;
  for (std::size_t i = 0; i < execs.size();) {
    Repeated group{&run.execs[execs[i]]};
    nanoseconds longest{};
    std::size_t end = i;
    for (; end < execs.size() && key(execs[end]) == key(execs[i]); ++end) {
      ++group.times;
      add(group.duration, duration(execs[end]));
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
  FailedLookups found;
  std::unordered_map<std::string_view, std::pair<std::uint64_t, std::string_view>> names;
  for (Index member : members) {
    for (Index i = run.processes[member].first_exec; i != no_index; i = run.execs[i].next) {
      const RunExec& exec = run.execs[i];
      if (exec.error == ENOENT || exec.error == ENOTDIR) {
        std::string_view path = run.text(exec.filename);
        auto& [count, example] = names[program_name(path)];
        ++count;
        example = path;
        ++found.count;
      }
    }
  }
  for (const auto& [name, counted] : names) {
    if (std::pair(counted.first, name) > std::pair(found.of_name, found.name)) {
      found.name = name;
      std::tie(found.of_name, found.example) = counted;
    }
  }
  return found;
}

std::vector<std::string_view> clients_of_servers(const RecordedRun& run,
                                                 const std::vector<Index>& members) {
  constexpr std::array<std::string_view, 12> known{"ccache", "sccache", "bazel",  "bazelisk",
                                                   "buck2",  "docker",  "podman", "distcc",
                                                   "icecc",  "gradle",  "ssh",    "systemd-run"};
  std::vector<std::string_view> found;
  for (Index member : members) {
    for (Index i = run.processes[member].first_exec; i != no_index; i = run.execs[i].next) {
      const RunExec& exec = run.execs[i];
      std::string_view name = program_name(run.text(exec.filename));
      auto match = std::find(known.begin(), known.end(), name);
      if (exec.error == 0 && match != known.end() &&
          std::find(found.begin(), found.end(), *match) == found.end()) {
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
    if (run.processes[child.process].parent == parent.process && parent.blocked >= delay_least &&
        parent.blocked * 2 > parent.duration() && parent.sleeps > 0 &&
        run.processes[child.process].end <= parent.begin) {
      Polling& polling = parents[parent.process];
      polling.process = parent.process;
      ++polling.times;
      polling.delay += parent.blocked;
    }
  }
  Polling most;
  for (const auto& [process, polling] : parents) {
    if (polling.delay > most.delay) {
      most = polling;
    }
  }
  return most;
}

std::vector<Pipe> find_pipes(const RecordedRun& run, const CriticalPath& path) {
  std::vector<Pipe> found;
  Index last = no_index;
  for (const Segment& segment : path.segments) {
    Index reader = segment.process;
    const RunProcess& process = run.processes[reader];
    if (reader == std::exchange(last, reader) || reader == path.root ||
        process.parent == no_index || run.children(process.parent).size() > 1000) {
      continue;
    }
    const RunExec* program = run.last_program(reader);
    std::string_view input = program == nullptr ? "" : run.text(program->standard_files[0]);
    if (!input.starts_with("pipe:")) {
      continue;
    }
    for (Index sibling : run.children(process.parent)) {
      const RunExec* other = run.last_program(sibling);
      if (sibling != reader && other != nullptr &&
          other->standard_files[1] == program->standard_files[0]) {
        found.push_back({reader, sibling});
      }
    }
  }
  return found;
}

}  // namespace bpftrap
