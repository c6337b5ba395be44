// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/followed.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <vector>

#include "bpf/scope.h"
#include "core/os/error.h"
#include "core/os/proc.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

// Children by parent, as /proc shows them now.
std::multimap<std::uint64_t, pid_t> read_children(const std::string& proc) {
  std::multimap<std::uint64_t, pid_t> children;
  ProcWalk walk(proc);
  while (walk.next()) {
    if (std::optional<ProcStat> stat = read_proc_stat(walk.directory())) {
      children.emplace(stat->parent, walk.pid());
    }
  }
  return children;
}

}  // namespace

bool Followed::marked_at_birth(pid_t pid) const {
  if (maps_.task_marks < 0) {
    return false;
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  int key = pidfd.get();
  bpftrap_mark mark{};
  return pidfd && bpf_map_lookup_elem(maps_.task_marks, &key, &mark) == 0 && mark.followed != 0;
}

Followed::Mark Followed::mark(pid_t pid, const std::string& proc) {
  if (marked_at_birth(pid)) {
    return Mark::known;
  }
  bpftrap_mark mark{1, 0, {}};
  int err = -bpf_map_update_elem(maps_.pid_marks, &pid, &mark, BPF_NOEXIST);
  if (err == EEXIST) {
    return Mark::known;
  }
  if (err != 0) {
    throw Error(fmt::format("cannot follow process {}", pid), err,
                err == E2BIG ? "it has more than 65536 descendants; give one of them" : "");
  }
  // The kernel takes the mark out when the process ends: nobody would, had it ended before.
  std::optional<ProcStat> stat = read_proc_stat(fmt::format("{}/{}", proc, pid));
  if (!stat || ((stat->flags & ProcStat::exiting) != 0 && stat->threads <= 1)) {
    bpf_map_delete_elem(maps_.pid_marks, &pid);
    return Mark::gone;
  }
  return Mark::added;
}

void Followed::add_child(pid_t pid) {
  if (mark(pid, "/proc") == Mark::added) {
    __u32 zero = 0;
    std::uint64_t now = count() + 1;
    bpf_map_update_elem(maps_.count, &zero, &now, BPF_ANY);
  }
}

void Followed::add_tree(pid_t root, const std::string& proc) {
  for (bool found = mark(root, proc) != Mark::gone; found;) {
    found = false;
    std::multimap<std::uint64_t, pid_t> children = read_children(proc);
    std::vector<pid_t> next{root};
    while (!next.empty()) {
      auto [at, end] = children.equal_range(static_cast<std::uint64_t>(next.back()));
      next.pop_back();
      for (; at != end; ++at) {
        found = mark(at->second, proc) == Mark::added || found;
        next.push_back(at->second);
      }
    }
  }
}

std::uint64_t Followed::count() const {
  __u32 zero = 0;
  std::uint64_t value = 0;
  bpf_map_lookup_elem(maps_.count, &zero, &value);
  return value;
}

}  // namespace bpftrap
