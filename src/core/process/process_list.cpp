// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/process_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "bpf/pid_namespace.event.h"
#include "bpf/scope.h"
#include "core/os/proc.h"

namespace bpftrap {

ProcessList::ProcessList(std::vector<ListedProcess> processes) : processes_(std::move(processes)) {
  std::sort(processes_.begin(), processes_.end(),
            [](const auto& one, const auto& other) { return one.local_pid < other.local_pid; });
}

std::optional<ListedProcess> ProcessList::find(Pid local_pid) const {
  auto found = std::lower_bound(
      processes_.begin(), processes_.end(), local_pid,
      [](const ListedProcess& process, Pid wanted) { return process.local_pid < wanted; });
  if (found == processes_.end() || found->local_pid != local_pid) {
    return std::nullopt;
  }
  return *found;
}

std::optional<ListedProcess> ProcessList::find_initial(Pid pid) const {
  auto found = std::find_if(processes_.begin(), processes_.end(),
                            [pid](const ListedProcess& process) { return process.pid == pid; });
  return found != processes_.end() ? std::optional<ListedProcess>(*found) : std::nullopt;
}

std::optional<ListedProcess> ProcessList::find(const ListedProcess& earlier) const {
  std::optional<ListedProcess> now = find(earlier.local_pid);
  return now && now->start_ticks == earlier.start_ticks ? now : std::nullopt;
}

std::vector<ListedProcess> ProcessList::tree(const ListedProcess& root) const {
  std::vector<ListedProcess> members;
  if (std::optional<ListedProcess> now = find(root)) {
    members.push_back(*now);
  }
  std::unordered_multimap<Pid, const ListedProcess*> children;
  for (const ListedProcess& process : processes_) {
    children.emplace(process.parent, &process);
  }
  // Each process has one parent, so each is found once.
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto [at, end] = children.equal_range(members[i].pid);
    for (; at != end; ++at) {
      members.push_back(*at->second);
    }
  }
  return members;
}

ProcessList parse_listed_processes(std::span<const std::byte> rows) {
  std::vector<ListedProcess> processes;
  bpftrap_listed_process row{};
  processes.reserve(rows.size() / sizeof row);
  for (; rows.size() >= sizeof row; rows = rows.subspan(sizeof row)) {
    std::memcpy(&row, rows.data(), sizeof row);
    processes.push_back({.pid = row.pid,
                         .parent = row.parent_pid,
                         .local_pid = row.local_pid,
                         .start_ticks = row.start_boot_ns / BPFTRAP_TICK_NS,
                         .state = ListedProcess::State{static_cast<int>(row.state)},
                         .comm = {row.comm, ::strnlen(row.comm, sizeof row.comm)}});
  }
  return ProcessList(std::move(processes));
}

namespace {

// A leader may end before the other threads.
ListedProcess::State state_of(const ProcStat& stat) {
  if ((stat.flags & ProcStat::exiting) == 0 || stat.threads > 1) {
    return ListedProcess::State::alive;
  }
  return stat.state == 'Z' || stat.state == 'X' ? ListedProcess::State::ended
                                                : ListedProcess::State::ending;
}

}  // namespace

std::optional<ListedProcess> read_listed_process(const std::string& proc, Pid pid) {
  std::optional<ProcStat> stat = read_proc_stat(fmt::format("{}/{}", proc, pid));
  if (!stat) {
    return std::nullopt;
  }
  auto offset = static_cast<std::uint64_t>(proc_start_offset().count() / BPFTRAP_TICK_NS);
  return ListedProcess{.pid = pid,
                       .parent = static_cast<Pid>(stat->parent),
                       .local_pid = pid,
                       .start_ticks = stat->start_ticks - offset,
                       .state = state_of(*stat),
                       .comm = std::move(stat->comm)};
}

ProcessList read_process_list(const std::string& proc) {
  std::vector<ListedProcess> processes;
  ProcWalk walk(proc);
  while (walk.next()) {
    if (std::optional<ListedProcess> process =
            read_listed_process(proc, static_cast<Pid>(walk.pid()))) {
      processes.push_back(*process);
    }
  }
  return ProcessList(std::move(processes));
}

bool proc_shows_everyone(const std::string& proc) {
  return read_proc_stat(proc + "/1").has_value();
}

}  // namespace bpftrap
