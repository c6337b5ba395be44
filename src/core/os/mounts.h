// SPDX-License-Identifier: GPL-2.0-only
// Mounts, as /proc/self/mounts lists them (proc_pid_mounts(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

struct Mount {
  std::string target;
  std::string type;
  std::string options;  // separated by commas

  bool has_option(std::string_view option) const;
};

// Parses the text of /proc/self/mounts and decodes its escapes (\040 is a space). Skips malformed
// lines.
std::vector<Mount> parse_mounts(std::string_view text);

// Mount point of cgroup v2; empty if it is not mounted.
std::string cgroup2_mount(const std::vector<Mount>& mounts);

// Mount point of the cgroup v1 hierarchy that has the controller; empty if it is not mounted.
std::string cgroup1_mount(const std::vector<Mount>& mounts, std::string_view controller);

// The mounts of this process.
std::vector<Mount> read_mounts();

}  // namespace bpftrap
