// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/memory_limit.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "core/os/file.h"

namespace bpftrap {

namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool holds(std::string_view list, std::string_view word) {
  std::vector<std::string_view> words = split(list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Where the hierarchy is mounted; empty: nowhere.
std::string mount_point(std::string_view mounts, bool v2) {
  for (std::string_view line : split(mounts, '\n')) {
    std::vector<std::string_view> fields = split(line, ' ');  // source, target, type, options
    if (fields.size() >= 4 &&
        (v2 ? fields[2] == "cgroup2" : fields[2] == "cgroup" && holds(fields[3], "memory"))) {
      return std::string(fields[1]);
    }
  }
  return "";
}

// `max` (v2) is no limit; v1 says it as a number that no machine has.
std::uint64_t read_limit(const std::string& path) {
  std::string text = read_file(path).value_or("");
  std::uint64_t bytes = no_limit;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

}  // namespace

std::uint64_t memory_limit(std::string_view mounts, std::string_view cgroups,
                           const std::string& root) {
  std::uint64_t least = no_limit;
  for (std::string_view line : split(cgroups, '\n')) {  // ID:CONTROLLERS:PATH
    std::size_t controllers = line.find(':') + 1;
    std::size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) {
      continue;
    }
    bool v2 = line.starts_with("0::");
    if (!v2 && !holds(line.substr(controllers, path - 1 - controllers), "memory")) {
      continue;
    }
    std::string top = mount_point(mounts, v2);
    std::string group(line.substr(path));
    const char* file = v2 ? "/memory.max" : "/memory.limit_in_bytes";
    // In a container the path may be the host's, of which only the end, or nothing, is mounted.
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
