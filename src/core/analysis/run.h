// SPDX-License-Identifier: GPL-2.0-only
// A whole recording in memory, for analyses that look at it from several sides: processes, their
// programs and descent, losses. Texts are stored once, and 1,000,000 processes take less than
// 400 MB. run_builder.h makes it.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/chunks.h"
#include "core/analysis/texts.h"
#include "core/os/clock.h"
#include "core/os/users.h"
#include "core/record/record.h"
#include "core/recording/recorded.h"

namespace bpftrap {

// Index of a process, or of an exec, in a RecordedRun.
using Index = std::uint32_t;
inline constexpr Index no_index = UINT32_MAX;

// An optional value in the size of the value, which is never `none`.
template <class T, class None>
class Compact {
 public:
  Compact() = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): as that of std::optional
  requires std::convertible_to<U, std::optional<T>> Compact(const U& value)
      : value_(std::optional<T>(value).value_or(None::value)) {}

  explicit operator bool() const { return !(value_ == None::value); }
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  T value_or(const T& other) const { return *this ? value_ : other; }
  std::optional<T> get() const { return *this ? std::optional(value_) : std::nullopt; }

 private:
  T value_ = None::value;
};

struct NoTime {
  static constexpr auto value = std::chrono::nanoseconds::min();
};
struct NoSize {
  static constexpr std::uint64_t value = UINT64_MAX;
};
struct NoCount {
  static constexpr std::uint32_t value = UINT32_MAX;
};

// A program that a process executed, or failed to execute.
struct RunExec {
  BootTime time;
  Index process = no_index;
  Index next = no_index;  // of the same process, later
  TextId filename = TextId::none;
  TextId exe = TextId::none;
  TextId cwd = TextId::none;
  TextId args = TextId::none;  // each argument with a NUL behind it
  TextId interp = TextId::none;
  TextId standard_files[3] = {};  // as readlink /proc/PID/fd/N
  TextId comm = TextId::none;     // behind the exec; none if it failed or is older
  std::int32_t error = 0;
  std::uint32_t exec_id = 0;
  Compact<std::uint32_t, NoCount> args_size;  // bytes of argv
  bool args_truncated = false;
  bool older = false;  // before the recording: `time` is unknown
  bool secure = false;
  bool exe_deleted = false;
  bool cwd_deleted = false;
  std::uint64_t cap_effective = 0;  // unknown if `filename` is
};

// Fields that a process mostly shares with its parent and siblings.
struct RunIdentity {
  std::uint32_t gid = 0;
  std::uint32_t euid = 0;
  std::uint32_t egid = 0;
  std::uint32_t pid_ns_inode = 0;
  std::optional<std::uint32_t> login_uid = {};
  std::optional<std::uint32_t> audit_session = {};
  Pid session_id = 0;
  Pid process_group = 0;
  TextId tty = TextId::none;

  friend bool operator==(const RunIdentity&, const RunIdentity&) = default;
};

// No time in a run is larger, so that sums of several do not overflow: 73 years.
inline constexpr std::chrono::nanoseconds time_most{std::int64_t{1} << 61};

// A process that sent a signal.
struct RunSender {
  Index process = no_index;
  TextId comm = TextId::none;
};

// The signals that a process got.
struct RunSignals {
  std::optional<RunSender> killer;
  std::optional<RunSender> last_sender;
  std::int32_t last_signal = 0;
  std::chrono::nanoseconds last_age{};
};

struct RunProcess {
  ProcessId id;  // of an older process whose start is known by the tick only: rounded down
  Pid local_pid = 0;
  Pid ns_pid = 0;
  std::uint32_t uid = 0;
  Index parent = no_index;           // the real parent at birth, if that is known
  Index creator = no_index;          // the process that called fork
  Index end_parent = no_index;       // the real parent at the end
  TextId comm = TextId::none;        // the last one known
  TextId birth_comm = TextId::none;  // before it executed anything; none if it is not `born`
  TextId cgroup = TextId::none;
  Index first_exec = no_index;
  Index last_exec = no_index;
  Index signals = no_index;
  Index identity = no_index;     // the last one known
  std::int32_t wait_status = 0;  // as wait4() reports it
  bool born = false;             // its fork is recorded: `at_birth` is known
  bool older = false;            // it existed before the recording, and is not PROGRAM
  bool reported = false;         // a record is about it, which it is not if only a child names it
  bool ended = false;            // `end` is known
  bool end_recorded = false;     // with all that follows
  bool executed = false;
  bool oom_killed = false;
  bool had_threads = false;  // several, or that is unknown: `cpu` and `cpu_wait` are their sums
  bool cpu_final = false;    // `cpu` contains all that it did
  BootTime end;
  CpuTimes cpu{};
  Compact<std::chrono::nanoseconds, NoTime> cpu_wait;
  ThreadAccount at_birth;  // of the thread that called fork
  ThreadAccount at_end;    // of the thread that is the parent then
  std::uint64_t max_rss_bytes = 0;
  Compact<std::uint64_t, NoSize> peak_rss_bytes;
  std::optional<StorageIo> io;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;

  BootTime start() const {
    auto most = static_cast<std::uint64_t>(time_most.count());
    return BootTime(
        std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(id.start_ns, most))));
  }
};

// Records that were lost until this time, since the loss before.
struct RunLoss {
  BootTime time;
  std::uint64_t forks = 0;
  std::uint64_t execs = 0;
  std::uint64_t failed_execs = 0;
  std::uint64_t ends = 0;
  std::uint64_t others = 0;  // undecoded

  std::uint64_t count() const { return forks + execs + failed_execs + ends + others; }
};

// Parts of a recording that are not known.
struct RunGaps {
  std::vector<RunLoss> losses = {};
  std::uint64_t missing_batches = 0;
  std::uint64_t malformed = 0;      // records that were not understood
  std::uint64_t earlier_boots = 0;  // of the machine, which are left out
  bool has_stopped = false;         // the recorder ended as it should

  void add(const LossRecord& record);
  std::uint64_t lost() const;
  // The records that may have been lost between these times.
  std::uint64_t lost(BootTime from, BootTime to) const;
};

class RecordedRun : public RunGaps {
 public:
  HostRecord host;
  std::string command;
  bool has_program = false;  // recording ended with PROGRAM
  Index program = no_index;  // PROGRAM, if there is one and it is known
  bool filtered = false;     // the recorder had filters
  BootTime start;            // recording is live
  BootTime stop;             // its end, or the last record
  WallClock clock = WallClock::recorded();
  Users users{""};
  Texts texts;
  Chunks<RunProcess> processes;  // by birth, apart from those that were found late
  Chunks<RunExec> execs;
  Chunks<RunSignals> signals;
  Chunks<RunIdentity> identities;

  std::string_view text(TextId id) const { return texts[id]; }
  // That of the recording if the process still ran then.
  BootTime end_of(Index process) const {
    return processes[process].ended ? processes[process].end : stop;
  }

  // Processes that had this pid, or the one that has this id. By their birth.
  std::vector<Index> find(Pid pid, std::uint64_t start_boot_ns = 0) const;

  // Children by birth, in the order of their starts.
  std::span<const Index> children(Index process) const;
  // The last program that was executed without an error, null if there is none.
  const RunExec* last_program(Index process) const;
  // The program that it ran at that time. Null: it had executed none, or the older one is unknown.
  const RunExec* program_at(Index process, BootTime time) const;
  // The arguments of the last program, each with a NUL behind it. Without them, those of the
  // program that it inherited from an ancestor are no substitute: empty.
  std::string_view args(Index process) const;
  std::string_view comm(Index process) const { return texts[processes[process].comm]; }
  const RunSignals* signals_of(Index process) const;

  // Sorts children and finds last programs. Called when all processes and execs are known. Then no
  // process descends from itself.
  void link_children();

 private:
  void break_circles();
  void find_last_programs();

  std::vector<Index> children_;
  std::vector<Index> first_child_;    // of each process in children_, and the end
  std::vector<Index> last_programs_;  // of each process; no_index: none
};

}  // namespace bpftrap
