// SPDX-License-Identifier: GPL-2.0-only
// The cgroups of a process, as /proc/PID/cgroup lists them (cgroups(7)).
#pragma once

#include <string_view>
#include <vector>

namespace bpftrap {

// A line `ID:CONTROLLERS:PATH`. The views point into the text.
struct ProcCgroup {
  bool v2 = false;               // the line `0::PATH`, which exists once cgroup v2 was mounted
  std::string_view controllers;  // of v1, separated by commas
  std::string_view path;

  bool has_controller(std::string_view controller) const;
};

// Skips malformed lines.
std::vector<ProcCgroup> parse_proc_cgroup(std::string_view text);

// Whether the process is in the hierarchy of cgroup v2.
bool is_in_cgroup2(std::string_view proc_cgroup);

// Whether the memory or the pids controller is in a hierarchy of v1.
bool is_in_cgroup1(std::string_view proc_cgroup);

}  // namespace bpftrap
