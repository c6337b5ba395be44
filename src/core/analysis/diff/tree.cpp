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

// Every process after its parent.
std::vector<Index> by_birth(const RecordedRun& run) {
  std::vector<Index> order(run.processes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&run](Index a, Index b) {
    return run.processes[a].id.start_ns < run.processes[b].id.start_ns;
  });
  return order;
}

}  // namespace

DiffTree::DiffTree(const RecordedRun& run, Texts& keys)
    : run_(run),
      keys_(keys),
      normalizer_(run_directory(run)),
      nodes_(1),
      node_of_exec_(run.execs.size(), root),
      node_of_process_(run.processes.size(), root) {
  nodes_[root].count = 1;
  for (Index process : by_birth(run)) {
    add_process(process);
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

Index DiffTree::node_of_birth(Index process) const {
  Index parent = run_.processes[process].parent;
  if (parent == no_index) {
    return root;
  }
  BootTime birth = run_.processes[process].start();
  Index node = node_of_process_[parent];
  for (Index i = run_.processes[parent].first_exec; i != no_index; i = run_.execs[i].next) {
    const RunExec& exec = run_.execs[i];
    if (!exec.older && exec.time > birth) {
      break;
    }
    node = exec.error == 0 && !exec.older ? node_of_exec_[i] : node;
  }
  return node;
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

void DiffTree::add_process(Index index) {
  const RunProcess& process = run_.processes[index];
  if (process.local_pid != 0 && !process.older) {
    normalizer_.add_pid(process.local_pid);
  }
  if (!process.older) {
    normalizer_.add_pid(process.id.pid);
  }
  Index node = process.older ? node_of_older(index) : node_of_birth(index);
  node_of_process_[index] = node;
  BootTime begin = process.start();
  for (Index i = process.first_exec; i != no_index; i = run_.execs[i].next) {
    const RunExec& exec = run_.execs[i];
    if (exec.error != 0 || exec.older) {
      continue;
    }
    node = child(node, key_of(exec), i);
    node_of_exec_[i] = node;
    nodes_[node].count += 1;
    Index next = exec.next;
    while (next != no_index && run_.execs[next].error != 0) {
      next = run_.execs[next].next;
    }
    if (next != no_index) {
      nanoseconds duration = std::max(run_.execs[next].time - begin, nanoseconds::zero());
      nodes_[node].times.push_back(duration);
      nodes_[node].own_times.push_back(duration);
      begin = run_.execs[next].time;
    } else if (process.end_recorded) {
      add_end(nodes_[node], process, begin);
    }
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
