// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc_cgroup.h"

#include <algorithm>

#include "core/os/split.h"

namespace bpftrap {

bool ProcCgroup::has_controller(std::string_view controller) const {
  return contains(split(controllers, ','), controller);
}

std::vector<ProcCgroup> parse_proc_cgroup(std::string_view text) {
  std::vector<ProcCgroup> cgroups;
  for (std::string_view line : split(text, '\n')) {
    std::size_t controllers = line.find(':') + 1;
    std::size_t path = line.find(':', controllers) + 1;
    if (controllers != 0 && path != 0) {
      cgroups.push_back({line.starts_with("0::"), line.substr(controllers, path - 1 - controllers),
                         line.substr(path)});
    }
  }
  return cgroups;
}

bool is_in_cgroup2(std::string_view proc_cgroup) {
  std::vector<ProcCgroup> cgroups = parse_proc_cgroup(proc_cgroup);
  return std::any_of(cgroups.begin(), cgroups.end(),
                     [](const ProcCgroup& cgroup) { return cgroup.v2; });
}

bool is_in_cgroup1(std::string_view proc_cgroup) {
  std::vector<ProcCgroup> cgroups = parse_proc_cgroup(proc_cgroup);
  return std::any_of(cgroups.begin(), cgroups.end(), [](const ProcCgroup& cgroup) {
    return cgroup.has_controller("memory") || cgroup.has_controller("pids");
  });
}

}  // namespace bpftrap
