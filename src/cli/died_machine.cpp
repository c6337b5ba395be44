// SPDX-License-Identifier: GPL-2.0-only
#include "cli/died_machine.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "core/os/file.h"
#include "core/os/mounts.h"

namespace bpftrap {

namespace {

std::string first_line(const std::string& path) {
  std::string text = read_file(path).value_or("");
  return text.substr(0, text.find('\n'));
}

// The nearest cgroup with a limit, from this one up.
std::optional<MemoryLimit> find_limit(const std::string& mount, std::string_view cgroup,
                                      std::string_view file) {
  // v1 writes a number that no machine has instead of none.
  constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;
  if (mount.empty()) {
    return std::nullopt;
  }
  std::string group(cgroup == "/" ? "" : cgroup);
  if (::access((mount + group).c_str(), F_OK) != 0) {
    return std::nullopt;  // it was removed: the limit of another group says nothing about it
  }
  for (;;) {
    std::string path = fmt::format("{}{}/{}", mount, group, file);
    std::string text = first_line(path);
    std::uint64_t bytes = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (error == std::errc() && bytes < no_limit) {
      return MemoryLimit{group.empty() ? "/" : group, bytes, path};
    }
    if (group.empty()) {
      return std::nullopt;
    }
    std::size_t slash = group.rfind('/');
    group.resize(slash == std::string::npos ? 0 : slash);
  }
}

std::optional<MemoryLimit> find_limit(std::string_view cgroup) {
  std::vector<Mount> mounts = read_mounts();
  std::optional<MemoryLimit> limit = find_limit(cgroup2_mount(mounts), cgroup, "memory.max");
  return limit ? limit
               : find_limit(cgroup1_mount(mounts, "memory"), cgroup, "memory.limit_in_bytes");
}

std::string describe_core(const ExitRecord& exit) {
  std::string pattern = first_line("/proc/sys/kernel/core_pattern");
  if (pattern.find("systemd-coredump") != std::string::npos) {
    return fmt::format("coredumpctl info {}", exit.process.id.pid);
  }
  if (pattern.starts_with('|')) {
    return fmt::format("passed to {}", pattern.substr(1, pattern.find(' ') - 1));
  }
  return fmt::format("core_pattern is {}{}", pattern,
                     pattern.starts_with('/') ? "" : ", in the directory of the process");
}

}  // namespace

bool is_this_boot(std::string_view boot_id) {
  return !boot_id.empty() && first_line("/proc/sys/kernel/random/boot_id") == boot_id;
}

DeathSurroundings read_surroundings(const ExitRecord& exit) {
  DeathSurroundings around;
  if (exit.oom_killed && exit.process.cgroup) {
    around.has_limits = true;
    around.limit = find_limit(*exit.process.cgroup);
  }
  if (WCOREDUMP(exit.wait_status)) {
    around.core = describe_core(exit);
  }
  return around;
}

}  // namespace bpftrap
