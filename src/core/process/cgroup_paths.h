// SPDX-License-Identifier: GPL-2.0-only
// Paths of cgroups by their id, as the BPF programs told them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/record/record.h"

namespace bpftrap {

// Ids are not used again within one boot (fs/kernfs/dir.c counts generations), so an entry stays
// true for as long as it is kept.
class CgroupPaths {
 public:
  // `proc_cgroup`: the text of /proc/self/cgroup. Without its line `0::…` no cgroup v2 is mounted,
  // and no path is known.
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
