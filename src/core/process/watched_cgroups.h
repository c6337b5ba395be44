// SPDX-License-Identifier: GPL-2.0-only
// Directories of cgroups that the user names (--cgroup), and those above them: each may be removed
// and made again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpf/scope.h"
#include "core/os/unique_fd.h"

namespace bpftrap {

class WatchedCgroups {
 public:
  // A path is a directory of the cgroup v2 file system, or a path within the hierarchy as records
  // show it. All of them must exist. Throws Error.
  explicit WatchedCgroups(const std::vector<std::string>& paths);

  bool empty() const { return !mount_; }

  // Entries that the maps of src/bpf/scope_cgroup.bpf.h need.
  std::uint32_t names() const { return static_cast<std::uint32_t>(nodes_.size()); }
  // Twice as many: while one directory replaces another, both have an entry.
  std::uint32_t numbers() const { return 2 * (names() + 1); }

  // State of the programs: descriptors of the maps, and `wanted_cgroups`.
  struct Kernel {
    int nodes;
    int numbers;
    std::span<__u64> wanted;
  };

  // Tells the programs the ids of the directories. Call it before they are attached, so that no
  // process is missed. Call it again afterwards, because a directory that was made in between has
  // another id. From then on the programs notice each new directory. Throws Error.
  void tell(const Kernel& kernel) const;

 private:
  struct Node {
    bpftrap_cgroup_name name{};
    std::string path;  // below the mount
    std::uint32_t wanted = 0;
  };

  void add(const std::vector<std::string>& names, std::uint32_t wanted);
  bool tell(const Kernel& kernel, std::uint32_t number) const;

  UniqueFd mount_;  // number 0; the others have their index in nodes_ and one more
  std::uint64_t mount_id_ = 0;
  std::uint32_t mount_wanted_ = 0;
  std::vector<Node> nodes_;  // each comes after the one above it
};

}  // namespace bpftrap
