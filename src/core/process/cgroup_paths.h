// SPDX-License-Identifier: GPL-2.0-only
// Paths of cgroups by their id, as the BPF programs sent them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/record/record.h"

namespace bpftrap {

// An id is not reused within one boot (fs/kernfs/dir.c counts generations), so an entry never
// becomes stale.
class CgroupPaths {
 public:
  // `proc_cgroup`: the text of /proc/self/cgroup. No path is known if it shows neither cgroup v2
  // nor the memory or pids controller of v1.
  explicit CgroupPaths(std::string_view proc_cgroup);

  void define(const CgroupRecord& record);
  void forget(const CgroupGoneRecord& record) { cgroups_.erase(record.id); }
  // Fills in the path and the names in it. They are valid until the entry is defined again.
  void complete(Process& process) const;

 private:
  struct Cgroup {
    std::string path;
    // Views of `path`.
    std::optional<std::string_view> unit;
    std::optional<std::string_view> container_id;
  };

  bool mounted_;
  std::unordered_map<std::uint64_t, Cgroup> cgroups_;
};

}  // namespace bpftrap
