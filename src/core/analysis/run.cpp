// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/run.h"

#include <algorithm>
#include <numeric>

#include "bpf/process.event.h"
#include "core/analysis/time_bounds.h"

namespace bpftrap {

void RunGaps::add(const LossRecord& record) {
  const __u64* lost = record.lost.records;
  RunLoss loss{bounded(record.time),      lost[BPFTRAP_RECORD_FORK], lost[BPFTRAP_RECORD_EXEC],
               lost[BPFTRAP_KIND_FAILED], lost[BPFTRAP_RECORD_EXIT], record.undecoded};
  if (loss.count() > 0) {
    losses.push_back(loss);
  }
}

std::uint64_t RunGaps::lost() const {
  return lost(BootTime::min(), BootTime::max());
}

std::uint64_t RunGaps::lost(BootTime from, BootTime to) const {
  // A recorder learns of losses each second.
  constexpr std::chrono::seconds interval(1);
  return std::accumulate(losses.begin(), losses.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, const RunLoss& loss) {
                           bool inside = loss.time >= from && loss.time - interval <= to;
                           return sum + (inside ? loss.count() : 0);
                         });
}

std::vector<Index> RecordedRun::find(Pid pid, std::uint64_t start_boot_ns) const {
  std::vector<Index> found;
  for (Index i = 0; i < processes.size(); ++i) {
    const RunProcess& process = processes[i];
    bool matches = start_boot_ns != 0
                       ? process.id == ProcessId{pid, start_boot_ns}
                       : (process.local_pid != 0 ? process.local_pid : process.id.pid) == pid;
    if (matches) {
      found.push_back(i);
    }
  }
  return found;
}

// A damaged recording may name a descendant as a parent.
void RecordedRun::break_circles() {
  enum class State : std::uint8_t { unknown, on_path, done };
  std::vector<State> states(processes.size());
  std::vector<Index> path;
  for (Index i = 0; i < processes.size(); ++i) {
    for (Index at = i; at != no_index && states[at] != State::done; at = processes[at].parent) {
      if (states[at] == State::on_path) {
        processes[path.back()].parent = no_index;
        break;
      }
      states[at] = State::on_path;
      path.push_back(at);
    }
    for (Index at : path) {
      states[at] = State::done;
    }
    path.clear();
  }
}

void RecordedRun::find_last_programs() {
  last_programs_.assign(processes.size(), no_index);
  for (Index i = 0; i < execs.size(); ++i) {
    if (execs[i].error == 0) {
      last_programs_[execs[i].process] = i;
    }
  }
}

void RecordedRun::link_children() {
  break_circles();
  find_last_programs();
  std::size_t count = processes.size();
  first_child_.assign(count + 1, 0);
  for (Index i = 0; i < count; ++i) {
    if (Index parent = processes[i].parent; parent != no_index) {
      ++first_child_[parent + 1];
    }
  }
  std::partial_sum(first_child_.begin(), first_child_.end(), first_child_.begin());
  children_.resize(first_child_.back());
  std::vector<Index> next(first_child_.begin(), first_child_.end() - 1);
  for (Index i = 0; i < count; ++i) {
    if (Index parent = processes[i].parent; parent != no_index) {
      children_[next[parent]++] = i;
    }
  }
  auto is_older = [this](Index a, Index b) {
    return processes[a].id.start_ns < processes[b].id.start_ns;
  };
  for (Index i = 0; i < count; ++i) {
    auto begin = children_.begin() + first_child_[i];
    auto end = children_.begin() + first_child_[i + 1];
    if (!std::is_sorted(begin, end, is_older)) {
      std::stable_sort(begin, end, is_older);
    }
  }
}

std::span<const Index> RecordedRun::children(Index process) const {
  return std::span(children_).subspan(first_child_[process],
                                      first_child_[process + 1] - first_child_[process]);
}

const RunExec* RecordedRun::last_program(Index process) const {
  if (!last_programs_.empty()) {
    Index last = last_programs_[process];
    return last == no_index ? nullptr : &execs[last];
  }
  const RunExec* last = nullptr;
  for (Index i = processes[process].first_exec; i != no_index; i = execs[i].next) {
    last = execs[i].error == 0 ? &execs[i] : last;
  }
  return last;
}

const RunExec* RecordedRun::program_at(Index process, BootTime time) const {
  const RunExec* last = nullptr;
  for (Index i = processes[process].first_exec; i != no_index; i = execs[i].next) {
    const RunExec& exec = execs[i];
    if (!exec.older && exec.time > time) {
      break;
    }
    last = exec.error == 0 ? &exec : last;
  }
  return last;
}

std::string_view RecordedRun::args(Index process) const {
  const RunExec* last = last_program(process);
  return last == nullptr ? std::string_view() : texts[last->args];
}

const RunSignals* RecordedRun::signals_of(Index process) const {
  Index index = processes[process].signals;
  return index == no_index ? nullptr : &signals[index];
}

}  // namespace bpftrap
