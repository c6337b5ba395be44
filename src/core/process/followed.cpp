// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/followed.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>

#include "bpf/scope.h"
#include "core/os/error.h"
#include "core/os/unique_fd.h"
#include "core/process/sweep.h"

namespace bpftrap {

namespace {

bpftrap_known_process key_of(const ListedProcess& process) {
  return {process.start_ticks, process.pid, 0};
}

}  // namespace

bool Followed::marked_at_birth(pid_t local_pid) const {
  if (kernel_.task_marks < 0) {
    return false;
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, local_pid, 0)));
  int key = pidfd.get();
  bpftrap_mark mark{};
  return pidfd && bpf_map_lookup_elem(kernel_.task_marks, &key, &mark) == 0 && mark.followed != 0;
}

bool Followed::mark(const ListedProcess& process) {
  if (marked_at_birth(static_cast<pid_t>(process.local_pid))) {
    return false;
  }
  bpftrap_known_process key = key_of(process);
  bpftrap_mark mark{.followed = 1, .verdict = 0, .reported = 0, .reserved = {}};
  // Count first, because the kernel may remove the mark at once.
  std::atomic_ref(kernel_.count) += 1;
  int err = -bpf_map_update_elem(kernel_.pid_marks, &key, &mark, BPF_NOEXIST);
  if (err != 0) {
    std::atomic_ref(kernel_.count) -= 1;
  }
  if (err != 0 && err != EEXIST) {
    throw Error(fmt::format("cannot follow process {}", process.local_pid), err,
                err == E2BIG ? "it has more than 65536 descendants; give one of them" : "");
  }
  return err == 0;
}

void Followed::unmark(const ListedProcess& process) {
  bpftrap_known_process key = key_of(process);
  // The kernel may remove the mark at the same time. The one that removes it counts it.
  if (bpf_map_delete_elem(kernel_.pid_marks, &key) == 0) {
    std::atomic_ref(kernel_.count) -= 1;
  }
}

bool Followed::unmark_ended(const ProcessList& now) {
  bool all_known = true;
  for (const ListedProcess& process : marked_) {
    std::optional<ListedProcess> same = now.find(process);
    if (!same || same->state == ListedProcess::State::ended) {
      unmark(process);
    } else if (same->state == ListedProcess::State::ending) {
      all_known = false;
    }
  }
  return all_known;
}

void Followed::add_tree(const ListedProcess& root, const std::function<ProcessList()>& list) {
  int patience = 1000;
  for (bool found = true; found;) {
    found = false;
    ProcessList now = list();
    for (const ListedProcess& process : now.tree(root)) {
      if (process.state != ListedProcess::State::ended && mark(process)) {
        marked_.push_back(process);
        found = true;
      }
    }
    // The kernel removes a mark at the end of its process. A mark that came later stays: remove it.
    // A process that is ending may be before or after that point. Wait for it, within reason.
    if (!unmark_ended(now) && patience-- > 0) {
      ::usleep(1000);
      found = true;
    }
  }
}

std::uint64_t Followed::count() const {
  return std::atomic_ref(kernel_.count).load();
}

std::size_t Followed::living_of_trees() const {
  return static_cast<std::size_t>(
      std::count_if(marked_.begin(), marked_.end(),
                    [](const ListedProcess& process) { return !is_gone(process.local_pid); }));
}

}  // namespace bpftrap
