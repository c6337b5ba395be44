// SPDX-License-Identifier: GPL-2.0-only
// Decoded records, one struct per kind: decode() returns them and sinks write them. Strings are
// views. They point into the ring buffer, valid while the record is handled, or into longer-lived
// caches.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/os/clock.h"
#include "core/record/cputime.h"
#include "core/record/process_file.h"

namespace bpftrap {

using Pid = std::uint32_t;

// Identifies a process uniquely within one boot, because the kernel reuses pids.
struct ProcessId {
  Pid pid = 0;
  std::uint64_t start_ns = 0;  // CLOCK_BOOTTIME

  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

struct ProcessIdHash {
  std::size_t operator()(const ProcessId& id) const {
    return static_cast<std::size_t>(id.start_ns * 0x9e3779b97f4a7c15U) ^ id.pid;
  }
};

struct Ancestor {
  std::string_view comm;
  Pid pid = 0;
  Pid local_pid = 0;  // in bpftrap's own pid namespace; 0 outside it
};

struct Ancestors {
  std::span<const Ancestor> known;  // the parent first
  bool more = false;                // the last known one has an ancestor that is not known
};

// Identity of a process. Ids are those of the initial namespaces, unless another one is named.
struct Process {
  ProcessId id;
  ProcessId parent;                // the real parent; pid 0 if there is none
  Pid local_pid = 0;               // in bpftrap's own pid namespace; 0 outside it
  Pid local_parent = 0;            // likewise
  Pid ns_pid = 0;                  // in the process's innermost pid namespace
  std::uint32_t pid_ns_inode = 0;  // of that namespace
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t euid = 0;
  std::uint32_t egid = 0;
  std::optional<std::uint32_t> login_uid;  // of the audit system
  std::optional<std::uint32_t> audit_session;
  Pid session_id = 0;  // 0: none, as that of a kernel thread
  Pid process_group = 0;
  std::string_view comm;
  std::string_view parent_comm;
  std::optional<std::string_view> tty;  // name of the controlling terminal, as the kernel keeps it
  std::uint64_t cgroup_id = 0;
  // The tracer fills these in from CgroupRecords.
  std::optional<std::string_view> cgroup;  // path
  std::optional<std::string_view> unit;    // systemd unit and container in that path
  std::optional<std::string_view> container_id;
  Ancestors ancestors;  // by birth, if they are asked for; the tracer fills these in
};

// argv as the kernel stores it: a NUL ends each argument.
struct Arguments {
  std::string_view bytes;
  bool truncated = false;  // `bytes` holds only a part of argv
};

// A program was executed, or (error != 0) failed to execute.
struct ExecRecord {
  BootTime time;
  Process process;
  std::optional<std::string_view> filename;
  std::optional<std::string_view> interp;
  ProcessFile exe;
  ProcessFile cwd;
  std::array<ProcessFile, 3> standard_files;  // input, output, error
  std::optional<Arguments> args;              // none if unreadable
  std::optional<Arguments> env;               // requested variables; the tracer fills it in
  bool env_requested = false;
  std::size_t env_size = 0;
  std::optional<std::uint64_t> args_size = 0;  // bytes of argv; none if unknown
  std::uint64_t cap_effective = 0;
  std::uint32_t umask = 0;
  bool secure = false;  // AT_SECURE
  int error = 0;
  bool wanted = true;                          // passes the filters of the kernel
  std::uint32_t exec_id = 0;                   // distinguishes the execs of one process
  std::optional<std::uint64_t> max_rss_bytes;  // ru_maxrss before this program, if it is needed
  unsigned depth = 0;                          // ancestors with a row of their own, for --forest
};

// The process that sent a signal.
struct Sender {
  ProcessId id;
  Pid local_pid = 0;  // in bpftrap's own pid namespace; 0 outside it
  std::string_view comm;
};

// A signal that asked a process to end, whether that had an effect or not.
struct LastSignal {
  int signal = 0;
  Sender sender;
  std::chrono::nanoseconds age{};  // at the end of the process
};

struct StorageIo {
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
};

// Account of a thread up to an event. It is exact if the thread was not running then.
struct ThreadAccount {
  std::uint32_t tid = 0;
  std::uint32_t state = 0;  // TASK_* of include/linux/sched.h
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds cpu_wait{};
  std::uint64_t voluntary_switches = 0;

  // TASK_INTERRUPTIBLE or TASK_UNINTERRUPTIBLE.
  bool blocked() const { return (state & 3U) != 0; }
};

// A process ended.
struct ExitRecord {
  BootTime time;
  Process process;
  // From its last exec; the tracer fills these in.
  std::optional<std::string_view> filename;
  std::optional<std::string_view> exe;
  std::optional<std::string_view> cwd;
  std::optional<Arguments> args;
  int wait_status = 0;        // as wait4() reports it
  bool executed = false;      // true if it ever executed a program
  std::uint32_t exec_id = 0;  // of its last exec: equals that of the ExecRecord
  bool exec_unsent = false;   // true if an exec of this process may have been lost
  bool oom_killed = false;
  std::optional<Sender> killer;
  std::optional<LastSignal> last_signal;
  std::chrono::nanoseconds duration{};
  CpuTimes cpu{};
  std::optional<std::chrono::nanoseconds> cpu_wait;
  bool had_threads = false;  // several, or that is unknown
  ThreadAccount parent;      // the thread that is its real parent
  std::uint64_t max_rss_bytes = 0;
  std::optional<std::uint64_t> peak_rss_bytes;  // of the last program alone; none if unknown
  std::optional<StorageIo> io;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  unsigned depth = 0;  // as in ExecRecord
};

// The largest resident set of the last program, or of the process if the former is unknown.
inline std::uint64_t largest_rss(const ExitRecord& record) {
  return record.peak_rss_bytes.value_or(record.max_rss_bytes);
}

// First record: tracing is live.
struct StartRecord {
  BootTime time;
  std::string host;
  std::string boot_id;
  std::string kernel;
  std::string command;
};

// Records that could not be delivered since the last LostRecord.
struct LostRecord {
  BootTime time;
  std::uint64_t count = 0;  // 0: unknown
  bool dropped = false;     // from a directory of records, before they were read
};

// Last record.
struct StopRecord {
  BootTime time;
  std::uint64_t records = 0;
  std::uint64_t lost = 0;
};

// Environment variables of the next exec of the process, or more of them.
struct EnvironmentRecord {
  ProcessId process;
  std::string_view strings;  // each with a NUL behind it
};

// The path of a cgroup, sent before the first record that names its id.
struct CgroupRecord {
  std::uint64_t id = 0;
  std::string_view names;  // from the cgroup up, without the root; a NUL ends each name
  bool truncated = false;
};

// The cgroup was removed.
struct CgroupGoneRecord {
  std::uint64_t id = 0;
};

// The CPU time of a process after everything that it did. No record of the stream; it amends sums.
struct FinalRecord {
  ProcessId id;
  CpuTimes cpu{};
  std::optional<std::chrono::nanoseconds> cpu_wait;
};

// A process was forked.
struct ForkRecord {
  BootTime time;
  Process process;        // the child
  bool wanted = false;    // the child passes the filters
  ThreadAccount account;  // the thread that called fork
  ProcessId creator;      // the process that called fork; with CLONE_PARENT not the real parent
  unsigned depth = 0;     // as in ExecRecord
};

// A process whose fork or exec was reported ended, but its end is not reported.
struct GoneRecord {
  ProcessId id;
  Pid local_pid = 0;
};

}  // namespace bpftrap
