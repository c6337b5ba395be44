// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/memory_limit.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/os/file.h"
#include "core/os/mounts.h"
#include "core/os/proc_cgroup.h"

namespace bpftrap {

namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

// `max` (v2) is no limit. v1 writes a number that no machine has.
std::uint64_t read_limit(const std::string& path) {
  std::string text = read_file(path).value_or("");
  std::uint64_t bytes = no_limit;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

}  // namespace

std::uint64_t memory_limit(std::string_view mounts, std::string_view cgroups,
                           const std::string& root) {
  std::vector<Mount> mounted = parse_mounts(mounts);
  std::uint64_t least = no_limit;
  for (const ProcCgroup& cgroup : parse_proc_cgroup(cgroups)) {
    if (!cgroup.v2 && !cgroup.has_controller("memory")) {
      continue;
    }
    std::string top = cgroup.v2 ? cgroup2_mount(mounted) : cgroup1_mount(mounted, "memory");
    std::string group(cgroup.path);
    const char* file = cgroup.v2 ? "/memory.max" : "/memory.limit_in_bytes";
    // In a container the path may be the host's, and only its end, or nothing, may be mounted.
    while (!top.empty()) {
      std::string path_of_limit = root + top;
      path_of_limit.append(group).append(file);
      least = std::min(least, read_limit(path_of_limit));
      if (group.empty()) {
        break;
      }
      std::size_t parent = group.rfind('/');
      group.resize(parent == std::string::npos ? 0 : parent);
    }
  }
  return least;
}

std::uint64_t memory_limit() {
  return memory_limit(read_file("/proc/self/mounts").value_or(""),
                      read_file("/proc/self/cgroup").value_or(""));
}

std::size_t memory_share(std::size_t most) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(most, memory_limit() / 8));
}

}  // namespace bpftrap
