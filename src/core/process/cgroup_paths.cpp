// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_paths.h"

#include <utility>

#include "core/os/proc_cgroup.h"
#include "core/process/cgroup_names.h"

namespace bpftrap {

CgroupPaths::CgroupPaths(std::string_view proc_cgroup, std::size_t most)
    : mounted_(is_in_cgroup2(proc_cgroup) || is_in_cgroup1(proc_cgroup)), most_(most) {}

void CgroupPaths::define(const CgroupRecord& record) {
  if (record.truncated) {
    return;  // a truncated path names another cgroup
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
  drop(record.id);
  std::size_t bytes = path.size() + bytes_of_entry;
  bool is_long = path.size() > long_path;
  if (bytes > most_ - bytes_ || (is_long && bytes > most_ / 2 - long_bytes_)) {
    ++refused_;
    return;
  }
  bytes_ += bytes;
  long_bytes_ += is_long ? bytes : 0;
  path.shrink_to_fit();
  // Views follow, so the path must have its final place.
  Cgroup& cgroup = cgroups_[record.id];
  cgroup.path = std::move(path);
  cgroup.unit = unit_of_cgroup(cgroup.path);
  cgroup.container_id = container_of_cgroup(cgroup.path);
}

void CgroupPaths::drop(std::uint64_t id) {
  if (auto found = cgroups_.find(id); found != cgroups_.end()) {
    std::size_t size = found->second.path.size();
    bytes_ -= size + bytes_of_entry;
    long_bytes_ -= size > long_path ? size + bytes_of_entry : 0;
    cgroups_.erase(found);
  }
}

void CgroupPaths::complete(Process& process) const {
  auto found = cgroups_.find(process.cgroup_id);
  if (!mounted_ || found == cgroups_.end()) {
    return;
  }
  process.cgroup = found->second.path;
  process.unit = found->second.unit;
  process.container_id = found->second.container_id;
}

}  // namespace bpftrap
