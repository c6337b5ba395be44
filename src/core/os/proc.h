// SPDX-License-Identifier: GPL-2.0-only
// The processes of /proc, and what /proc/PID/stat tells of each (proc(5)).
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bpftrap {

struct ProcStat {
  // Bits of `flags`: include/linux/sched.h.
  static constexpr std::uint64_t exiting = 0x4;             // PF_EXITING
  static constexpr std::uint64_t never_executed = 0x40;     // PF_FORKNOEXEC
  static constexpr std::uint64_t kernel_thread = 0x200000;  // PF_KTHREAD

  std::string comm = {};          // field 2: any bytes, up to 15 (a kernel thread's up to 63)
  char state = 0;                 // field 3: Z for a zombie
  std::uint64_t parent = 0;       // field 4
  std::uint64_t flags = 0;        // field 9
  std::uint64_t threads = 0;      // field 20, zombies included
  std::uint64_t start_ticks = 0;  // field 22, since boot: see proc_start_offset()
};

// None if the text is malformed.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

// Reads that of a process by its directory, /proc/PID. None if the process is gone.
std::optional<ProcStat> read_proc_stat(const std::string& directory);

// The offset that /proc adds to the start of a process: that of this process's time namespace.
// Kernels before 5.11 add nothing (3ae700ecfae9). In a time namespace the first call starts a
// process to measure it.
std::chrono::nanoseconds proc_start_offset();

// Clock ticks of a time, as /proc counts them.
std::uint64_t to_proc_ticks(std::chrono::nanoseconds time);

// The process that a thread belongs to, by its directory, /proc/TID. For the leader that is the
// process with the same number. None if the thread is gone.
std::optional<pid_t> read_thread_group(const std::string& directory);

// Walks the processes of /proc. The caller may do other work between two steps; a process that
// starts or ends in between may or may not be seen.
class ProcWalk {
 public:
  // `proc`: "/proc", or a directory like it. One that cannot be opened has no processes.
  explicit ProcWalk(std::string proc);

  // Goes to the next process. False at the end.
  bool next();

  // The process that next() went to.
  pid_t pid() const { return pid_; }
  std::string directory() const { return proc_ + "/" + std::to_string(pid_); }

 private:
  struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };

  std::string proc_;
  std::unique_ptr<DIR, CloseDir> dir_;
  pid_t pid_ = 0;
};

}  // namespace bpftrap
