// SPDX-License-Identifier: GPL-2.0-only
// Paths of cgroups by their id, as the BPF programs sent them. Memory is bounded, because a user to
// whom a cgroup is delegated may make thousands of cgroups with long paths.
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
  // Maximum bytes of all paths and their entries. Those above `long_path` may take half of it.
  static constexpr std::size_t bytes_most = std::size_t{8} << 20;
  static constexpr std::size_t long_path = 256;
  static constexpr std::size_t bytes_of_entry = 160;

  // `proc_cgroup`: the text of /proc/self/cgroup. No path is known if it shows neither cgroup v2
  // nor the memory or pids controller of v1.
  explicit CgroupPaths(std::string_view proc_cgroup, std::size_t most = bytes_most);

  // Without room, the cgroup has no path.
  void define(const CgroupRecord& record);
  void forget(const CgroupGoneRecord& record) { drop(record.id); }
  // Fills in the path and the names in it. They are valid until the entry is defined again.
  void complete(Process& process) const;

  std::size_t size() const { return cgroups_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t most() const { return most_; }
  // Paths that found no room.
  std::uint64_t refused() const { return refused_; }

 private:
  struct Cgroup {
    std::string path;
    // Views of `path`.
    std::optional<std::string_view> unit;
    std::optional<std::string_view> container_id;
  };

  void drop(std::uint64_t id);

  bool mounted_;
  std::size_t most_;
  std::size_t bytes_ = 0;
  std::size_t long_bytes_ = 0;  // of them, those of long paths
  std::uint64_t refused_ = 0;
  std::unordered_map<std::uint64_t, Cgroup> cgroups_;
};

}  // namespace bpftrap
