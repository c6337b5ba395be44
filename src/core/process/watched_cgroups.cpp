// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/watched_cgroups.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "core/os/error.h"
#include "core/os/mounts.h"

namespace bpftrap {

namespace {

// The paths here are absolute and have no final slash, except that of the root.
bool is_cgroup(const std::string& directory) {
  struct statfs system {};
  struct stat status {};
  return ::statfs(directory.c_str(), &system) == 0 && system.f_type == CGROUP2_SUPER_MAGIC &&
         ::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string parent_of(const std::string& directory) {
  return directory.substr(0, std::max<std::size_t>(directory.rfind('/'), 1));
}

// A cgroup: where the hierarchy is mounted, and the names of the directories below.
struct Place {
  std::string mount;
  std::vector<std::string> names;
};

std::optional<Place> find_place(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (real == nullptr || !is_cgroup(real.get())) {
    return std::nullopt;
  }
  Place place{real.get(), {}};
  while (place.mount != "/" && is_cgroup(parent_of(place.mount))) {
    place.names.insert(place.names.begin(), place.mount.substr(place.mount.rfind('/') + 1));
    place.mount = parent_of(place.mount);
  }
  return place;
}

Place find_cgroup(const std::string& path) {
  std::optional<Place> place = find_place(path);
  if (std::string mount = cgroup2_mount(read_mounts()); !place && !mount.empty()) {
    place = find_place(mount + "/" + path);
  }
  if (!place) {
    throw Error("no cgroup v2 '" + path + "' (--cgroup)", 0,
                "give its directory, or its path as `bpftrap exec --json` shows it");
  }
  if (place->names.size() > BPFTRAP_CGROUP_LEVELS_MOST) {
    throw Error(fmt::format("cgroup '{}' is more than {} levels deep (--cgroup)", path,
                            BPFTRAP_CGROUP_LEVELS_MOST),
                0, "give one above it");
  }
  return *std::move(place);
}

// Returns the id of a cgroup, which is the inode of its directory (fs/kernfs/inode.c), or 0.
std::uint64_t id_of(int mount, const std::string& path) {
  struct stat status {};
  int flags = path.empty() ? AT_EMPTY_PATH : 0;
  return ::fstatat(mount, path.c_str(), &status, flags) == 0 ? status.st_ino : 0;
}

void set(int map, const void* key, const void* value) {
  if (int err = bpf_map_update_elem(map, key, value, BPF_ANY); err != 0) {
    throw Error("cannot set --cgroup", -err);
  }
}

}  // namespace

WatchedCgroups::WatchedCgroups(const std::vector<std::string>& paths) {
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    Place place = find_cgroup(paths[i]);
    UniqueFd mount(::open(place.mount.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    std::uint64_t id = id_of(mount.get(), "");
    if (mount_id_ != 0 && mount_id_ != id) {
      throw Error("cgroup '" + paths[i] + "' is below another mount of the hierarchy (--cgroup)", 0,
                  "give all of them below one mount");
    }
    mount_ = std::move(mount);
    mount_id_ = id;
    add(place.names, i + 1);
  }
}

void WatchedCgroups::add(const std::vector<std::string>& names, std::uint32_t wanted) {
  std::uint32_t parent = 0;
  std::uint32_t* mark = &mount_wanted_;
  std::string path;
  for (const std::string& name : names) {
    path += path.empty() ? name : "/" + name;
    auto found = std::find_if(nodes_.begin(), nodes_.end(),
                              [&](const Node& node) { return node.path == path; });
    if (found == nodes_.end()) {
      Node node{.path = path};
      node.name.parent = parent;
      std::memcpy(node.name.text, name.data(), std::min(name.size(), sizeof node.name.text - 1));
      found = nodes_.insert(nodes_.end(), std::move(node));
    }
    parent = static_cast<std::uint32_t>(found - nodes_.begin()) + 1;
    mark = &found->wanted;
  }
  // A path that is given twice needs to be known only once.
  if (*mark == 0) {
    *mark = wanted;
  }
}

void WatchedCgroups::tell(const Kernel& kernel) const {
  std::uint32_t number = 0;
  if (empty()) {
    return;
  }
  set(kernel.numbers, &mount_id_, &number);
  if (mount_wanted_ != 0) {
    kernel.wanted[mount_wanted_ - 1] = mount_id_;
  }
  // Directories come and go meanwhile, and the programs change the maps too. Repeat until nothing
  // changes.
  for (bool changed = true; changed;) {
    changed = false;
    for (number = 1; number <= nodes_.size(); ++number) {
      changed = tell(kernel, number) || changed;
    }
  }
}

// Returns true if it changed the maps.
bool WatchedCgroups::tell(const Kernel& kernel, std::uint32_t number) const {
  const Node& node = nodes_[number - 1];
  std::uint64_t id = id_of(mount_.get(), node.path);
  bpftrap_cgroup_node known{};
  bool is_known = bpf_map_lookup_elem(kernel.nodes, &node.name, &known) == 0;
  if (is_known && (id == known.id || id == 0)) {
    return false;
  }
  if (is_known && known.id != 0) {
    bpf_map_delete_elem(kernel.numbers, &known.id);
  }
  bpftrap_cgroup_node now{id, number, node.wanted};
  if (id != 0) {
    set(kernel.numbers, &id, &number);
  }
  set(kernel.nodes, &node.name, &now);
  if (node.wanted != 0) {
    kernel.wanted[node.wanted - 1] = id;
  }
  return true;
}

}  // namespace bpftrap
