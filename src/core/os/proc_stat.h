// SPDX-License-Identifier: GPL-2.0-only
// What /proc/PID/stat tells of a process (proc(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bpftrap {

struct ProcStat {
  // Of `flags`: include/linux/sched.h.
  static constexpr std::uint64_t exiting = 0x4;             // PF_EXITING
  static constexpr std::uint64_t never_executed = 0x40;     // PF_FORKNOEXEC
  static constexpr std::uint64_t kernel_thread = 0x200000;  // PF_KTHREAD

  std::uint64_t parent = 0;       // field 4
  std::uint64_t flags = 0;        // field 9
  std::uint64_t threads = 0;      // field 20, those that nobody waited for included
  std::uint64_t start_ticks = 0;  // field 22, since boot
};

// Nothing where it is no such line.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

// Of the process whose directory this is. Nothing where it is gone.
std::optional<ProcStat> read_proc_stat(const std::string& directory);

}  // namespace bpftrap
