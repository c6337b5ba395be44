// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_paths.h"

#include "core/os/proc_cgroup.h"

namespace bpftrap {

CgroupPaths::CgroupPaths(std::string_view proc_cgroup) : mounted_(is_in_cgroup2(proc_cgroup)) {}

void CgroupPaths::define(const CgroupRecord& record) {
  if (record.truncated) {
    return;  // half a path would be a wrong one
  }
  std::string path;
  std::string_view rest = record.names;
  while (!rest.empty()) {
    std::string_view name = rest.substr(0, rest.find('\0'));
    path.insert(0, name);
    path.insert(0, 1, '/');
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  if (path.empty()) {
    path = "/";
  }
  paths_.insert_or_assign(record.id, std::move(path));
}

std::optional<std::string_view> CgroupPaths::find(std::uint64_t id) const {
  auto found = paths_.find(id);
  if (!mounted_ || found == paths_.end()) {
    return std::nullopt;
  }
  return found->second;
}

}  // namespace bpftrap
