// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_dir.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <utility>

#include "core/os/error.h"
#include "core/os/mounts.h"

namespace bpftrap {

namespace {

// Invalid if the path is not a directory of a cgroup v2 hierarchy.
UniqueFd open_cgroup(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs system {};
  if (!fd || ::fstatfs(fd.get(), &system) != 0 || system.f_type != CGROUP2_SUPER_MAGIC) {
    return UniqueFd();
  }
  return fd;
}

}  // namespace

std::vector<UniqueFd> open_cgroups(const std::vector<std::string>& paths) {
  std::vector<UniqueFd> cgroups;
  for (const std::string& path : paths) {
    UniqueFd fd = open_cgroup(path);
    if (!fd) {
      fd = open_cgroup(cgroup2_mount(read_mounts()) + "/" + path);
    }
    if (!fd) {
      throw Error("there is no cgroup v2 '" + path + "' (--cgroup)", 0,
                  "give its directory, or its path as `bpftrap exec --json` shows it");
    }
    cgroups.push_back(std::move(fd));
  }
  return cgroups;
}

}  // namespace bpftrap
