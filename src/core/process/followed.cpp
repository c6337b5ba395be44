// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/followed.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "bpf/scope.h"
#include "core/os/error.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

namespace {

bpftrap_known_process key_of(const ListedProcess& process) {
  return {process.start_ticks, process.pid, 0};
}

}  // namespace

bool Followed::marked_at_birth(pid_t local_pid) const {
  if (maps_.task_marks < 0) {
    return false;
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, local_pid, 0)));
  int key = pidfd.get();
  bpftrap_mark mark{};
  return pidfd && bpf_map_lookup_elem(maps_.task_marks, &key, &mark) == 0 && mark.followed != 0;
}

bool Followed::mark(const ListedProcess& process) {
  if (marked_at_birth(static_cast<pid_t>(process.local_pid))) {
    return false;
  }
  bpftrap_known_process key = key_of(process);
  bpftrap_mark mark{1, 0, {}};
  int err = -bpf_map_update_elem(maps_.pid_marks, &key, &mark, BPF_NOEXIST);
  if (err != 0 && err != EEXIST) {
    throw Error(fmt::format("cannot follow process {}", process.local_pid), err,
                err == E2BIG ? "it has more than 65536 descendants; give one of them" : "");
  }
  return err == 0;
}

void Followed::unmark(const ListedProcess& process) {
  bpftrap_known_process key = key_of(process);
  bpf_map_delete_elem(maps_.pid_marks, &key);
}

void Followed::add_tree(const ListedProcess& root, const std::function<ProcessList()>& list) {
  std::vector<ListedProcess> marked;
  for (bool found = true; found;) {
    found = false;
    ProcessList now = list();
    for (const ListedProcess& process : now.tree(root)) {
      if (!process.has_ended && mark(process)) {
        marked.push_back(process);
        found = true;
      }
    }
    // The kernel removes a mark at the end of its process. A mark that came later stays: remove it.
    for (const ListedProcess& process : marked) {
      std::optional<ListedProcess> same = now.find(process);
      if (!same || same->has_ended) {
        unmark(process);
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
