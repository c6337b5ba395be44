// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/diff/tree.h"

#include <algorithm>
#include <numeric>

#include "core/analysis/command_label.h"
#include "core/analysis/program_title.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

// The directory in which PROGRAM was started.
std::string_view run_directory(const RecordedRun& run) {
  if (!run.has_program) {
    return {};
  }
  for (Index i = 0; i < run.execs.size(); ++i) {
    if (!run.execs[i].older && run.execs[i].error == 0) {
      return run.text(run.execs[i].cwd);
    }
  }
  return {};
}

// The birth of a process, or a program that it executed.
struct Event {
  BootTime time;
  Index process = no_index;
  Index exec = no_index;
};

// In the order of time, a parent before its child. A command line contains no pid of a process that
// is born later.
std::vector<Event> events_of(const RecordedRun& run) {
  std::vector<Index> order(run.processes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&run](Index a, Index b) {
    return run.processes[a].id.start_ns < run.processes[b].id.start_ns;
  });
  std::vector<Event> events;
  events.reserve(run.processes.size() + run.execs.size());
  for (Index process : order) {
    BootTime birth = run.processes[process].start();
    events.push_back({birth, process});
    for (Index i = run.processes[process].first_exec; i != no_index; i = run.execs[i].next) {
      if (run.execs[i].error == 0 && !run.execs[i].older) {
        events.push_back({std::max(run.execs[i].time, birth), process, i});
      }
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.time < b.time; });
  return events;
}

}  // namespace

DiffTree::DiffTree(const RecordedRun& run, Texts& keys)
    : run_(run),
      keys_(keys),
      normalizer_(run_directory(run)),
      nodes_(1),
      node_of_process_(run.processes.size(), root),
      begin_of_node_(run.processes.size()) {
  nodes_[root].count = 1;
  if (run.program != no_index && run.processes[run.program].parent != no_index) {
    // $PPID of PROGRAM
    const RunProcess& parent = run.processes[run.processes[run.program].parent];
    normalizer_.add_pid(parent.local_pid != 0 ? parent.local_pid : parent.id.pid);
  }
  for (const Event& event : events_of(run)) {
    event.exec == no_index ? add_birth(event.process) : add_exec(event.exec);
  }
}

Index DiffTree::child(Index parent, std::string_view key, Index example) {
  TextId text = keys_.add(key);
  auto [known, is_new] = by_key_.try_emplace({parent, text}, static_cast<Index>(nodes_.size()));
  if (is_new) {
    nodes_.push_back({.parent = parent, .key = text, .example = example});
    nodes_[parent].children.push_back(known->second);
  }
  return known->second;
}

std::string DiffTree::key_of(const RunExec& exec) const {
  if (exec.args != TextId::none && !run_.text(exec.args).empty()) {
    return normalizer_.normalize(run_.text(exec.args));
  }
  return "[" + std::string(program_name(run_.text(exec.filename))) + "]";
}

// The chain begins with PROGRAM, or else with the name of the process that recording found.
Index DiffTree::node_of_older(Index process) {
  if (run_.has_program) {
    return root;
  }
  return child(root, "[" + std::string(run_.comm(process)) + "]", no_index);
}

void DiffTree::add_end(DiffNode& node, const RunProcess& process, BootTime begin) {
  nanoseconds duration = std::max(process.end - begin, nanoseconds::zero());
  nanoseconds waited = process.cpu_wait.value_or(nanoseconds::zero());
  node.statuses[process.wait_status] += 1;
  node.times.push_back(duration);
  // Several threads may wait at once.
  nanoseconds cpu = std::min(process.cpu.user + process.cpu.system, duration);
  node.own_times.push_back(std::max(duration - waited, cpu));
}

void DiffTree::add_birth(Index index) {
  const RunProcess& process = run_.processes[index];
  begin_of_node_[index] = process.start();
  if (process.older) {
    node_of_process_[index] = node_of_older(index);
    return;
  }
  normalizer_.add_pid(process.id.pid);
  if (process.local_pid != 0) {
    normalizer_.add_pid(process.local_pid);
  }
  node_of_process_[index] = process.parent == no_index ? root : node_of_process_[process.parent];
}

void DiffTree::add_exec(Index index) {
  const RunExec& exec = run_.execs[index];
  const RunProcess& process = run_.processes[exec.process];
  Index node = child(node_of_process_[exec.process], key_of(exec), index);
  node_of_process_[exec.process] = node;
  nodes_[node].count += 1;
  BootTime begin = begin_of_node_[exec.process];
  Index next = exec.next;
  while (next != no_index && run_.execs[next].error != 0) {
    next = run_.execs[next].next;
  }
  if (next != no_index) {
    nanoseconds duration = std::max(run_.execs[next].time - begin, nanoseconds::zero());
    nodes_[node].times.push_back(duration);
    nodes_[node].own_times.push_back(duration);
    begin_of_node_[exec.process] = run_.execs[next].time;
  } else if (process.end_recorded) {
    add_end(nodes_[node], process, begin);
  } else {
    nodes_[node].unknown_ends += 1;
  }
}

std::optional<Arguments> DiffTree::args(Index node) const {
  Index example = nodes_[node].example;
  if (example == no_index || run_.execs[example].args == TextId::none) {
    return std::nullopt;
  }
  return Arguments{run_.text(run_.execs[example].args), run_.execs[example].args_truncated};
}

std::string DiffTree::title(Index node) const {
  Index example = nodes_[node].example;
  if (example == no_index) {
    return std::string(key(node));
  }
  const RunExec& exec = run_.execs[example];
  return program_title(run_.text(exec.args), run_.text(exec.filename), exec.interp != TextId::none,
                       program_name(run_.text(exec.filename)));
}

}  // namespace bpftrap
