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
  // `proc_cgroup`: the text of /proc/self/cgroup. No path is known if it shows no cgroup v2.
  explicit CgroupPaths(std::string_view proc_cgroup);

  void define(const CgroupRecord& record);
  void forget(const CgroupGoneRecord& record) { paths_.erase(record.id); }
  // Valid until the entry is defined again.
  std::optional<std::string_view> find(std::uint64_t id) const;

 private:
  bool mounted_;
  std::unordered_map<std::uint64_t, std::string> paths_;
};

}  // namespace bpftrap
