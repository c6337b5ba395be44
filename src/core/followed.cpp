// SPDX-License-Identifier: GPL-2.0-only
#include "core/followed.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "bpf/scope.h"
#include "core/error.h"
#include "core/file.h"
#include "core/unique_fd.h"

namespace bpftrap {

namespace {

// Children by parent, as /proc has it at this moment, field 4 of each stat (proc(5)).
std::multimap<pid_t, pid_t> read_children(const std::string& proc) {
  std::multimap<pid_t, pid_t> children;
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc.c_str()), ::closedir);
  while (dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    std::string_view name = entry->d_name;
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr !=
        name.data() + name.size()) {
      continue;
    }
    std::optional<std::string> stat = read_file(fmt::format("{}/{}/stat", proc, pid));
    std::size_t end = stat ? stat->rfind(')') : std::string::npos;
    pid_t parent = 0;
    // Behind the name: a space, the state, a space.
    if (end != std::string::npos && end + 4 < stat->size() &&
        std::from_chars(stat->data() + end + 4, stat->data() + stat->size(), parent).ec ==
            std::errc()) {
      children.emplace(parent, pid);
    }
  }
  return children;
}

}  // namespace

bool Followed::add(pid_t pid) {
  bpftrap_mark mark{1, 0, {}};
  UniqueFd pidfd;
  int key = pid;
  if (by_task_) {
    pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    key = pidfd.get();
  }
  if ((by_task_ && !pidfd) || ::access(fmt::format("/proc/{}", pid).c_str(), F_OK) != 0) {
    return false;
  }
  int err = -bpf_map_update_elem(marks_fd_, &key, &mark, BPF_NOEXIST);
  if (err == ESRCH || err == ENOENT) {
    return false;
  }
  if (err != 0 && err != EEXIST) {
    throw Error(fmt::format("cannot follow process {}", pid), err);
  }
  if (err == 0) {
    __u32 zero = 0;
    std::uint64_t now = count() + 1;
    bpf_map_update_elem(count_fd_, &zero, &now, BPF_ANY);
  }
  return true;
}

std::size_t Followed::add_tree(pid_t root, const std::string& proc) {
  std::set<pid_t> marked;
  if (add(root)) {
    marked.insert(root);
  }
  for (bool found = !marked.empty(); found;) {
    found = false;
    std::multimap<pid_t, pid_t> children = read_children(proc);
    std::vector<pid_t> next(marked.begin(), marked.end());
    while (!next.empty()) {
      pid_t parent = next.back();
      next.pop_back();
      for (auto [at, end] = children.equal_range(parent); at != end; ++at) {
        if (!marked.contains(at->second) && add(at->second)) {
          marked.insert(at->second);
          next.push_back(at->second);
          found = true;
        }
      }
    }
  }
  return marked.size();
}

std::uint64_t Followed::count() const {
  __u32 zero = 0;
  std::uint64_t value = 0;
  bpf_map_lookup_elem(count_fd_, &zero, &value);
  return value;
}

bool kernel_has_task_storage() {
  // The map came with 5.11, for programs of another type. Nothing in BTF tells the two releases
  // apart, so this one asks for the version.
  utsname names{};
  int major = 0, minor = 0;
  ::uname(&names);
  return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, nullptr) == 1 &&
         std::sscanf(names.release, "%d.%d", &major, &minor) == 2 &&
         (major > 5 || (major == 5 && minor >= 12));
}

}  // namespace bpftrap
