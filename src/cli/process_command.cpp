// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/os/error.h"
#include "core/os/file.h"

namespace bpftrap {

namespace {

// Nothing where it is no directory of a cgroup v2 hierarchy.
UniqueFd open_cgroup(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs system {};
  if (!fd || ::fstatfs(fd.get(), &system) != 0 || system.f_type != CGROUP2_SUPER_MAGIC) {
    return UniqueFd();
  }
  return fd;
}

// Where cgroup v2 is mounted: field 2 of a line of /proc/self/mounts whose field 3 is cgroup2.
std::string cgroup_mount() {
  std::string mounts = read_file("/proc/self/mounts").value_or("");
  std::size_t type = mounts.find(" cgroup2 ");
  if (type == std::string::npos) {
    return "";
  }
  std::size_t begin = mounts.rfind(' ', type - 1) + 1;
  return mounts.substr(begin, type - begin);
}

}  // namespace

void size_key_map(bpf_map* map, const std::vector<std::uint32_t>& keys) {
  bpf_map__set_max_entries(map, static_cast<std::uint32_t>(std::max<std::size_t>(keys.size(), 1)));
}

void fill_key_map(const bpf_map* map, const std::vector<std::uint32_t>& keys) {
  for (std::uint32_t key : keys) {
    std::uint8_t one = 1;
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY); err != 0) {
      throw Error(std::string("cannot fill the map ") + bpf_map__name(map), -err);
    }
  }
}

std::vector<UniqueFd> open_cgroups(const std::vector<std::string>& paths) {
  std::vector<UniqueFd> cgroups;
  for (const std::string& path : paths) {
    UniqueFd fd = open_cgroup(path);
    if (!fd) {
      fd = open_cgroup(cgroup_mount() + "/" + path);
    }
    if (!fd) {
      throw Error("there is no cgroup v2 '" + path + "' (--cgroup)", 0,
                  "give its directory, or its path as `bpftrap exec --json` shows it");
    }
    cgroups.push_back(std::move(fd));
  }
  return cgroups;
}

void fill_cgroup_map(const bpf_map* map, const std::vector<UniqueFd>& cgroups) {
  for (std::uint32_t i = 0; i < cgroups.size(); ++i) {
    int fd = cgroups[i].get();
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &i, &fd, BPF_ANY); err != 0) {
      throw Error("cannot set --cgroup", -err);
    }
  }
}

void require_processes(const std::vector<std::uint32_t>& pids) {
  for (std::uint32_t pid : pids) {
    if (::access(("/proc/" + std::to_string(pid)).c_str(), F_OK) != 0) {
      throw Error("there is no process " + std::to_string(pid) + " (--tree)", 0,
                  "see `ps -e` for those there are");
    }
  }
}

}  // namespace bpftrap
