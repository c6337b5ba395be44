// SPDX-License-Identifier: GPL-2.0-only
#include "core/record/decode.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "bpf/process.event.h"

namespace bpftrap {

namespace {

using Bytes = std::span<const std::byte>;

// 146 years. Sums and differences of smaller times fit 63 bits.
constexpr std::uint64_t time_limit_ns = std::uint64_t{1} << 62;

bool is_time(std::uint64_t ns) {
  return ns < time_limit_ns;
}

std::string_view text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::uint32_t> audit_number(std::uint32_t number) {
  return number != BPFTRAP_ID_UNSET ? std::optional(number) : std::nullopt;
}

// A name without a NUL is longer than the wire struct has room.
std::optional<std::string_view> terminal_name(Bytes bytes, std::size_t offset) {
  std::string_view name = wire_text(bytes, offset, BPFTRAP_TTY_SIZE);
  return name.empty() || name.size() == BPFTRAP_TTY_SIZE ? std::nullopt : std::optional(name);
}

Process process_of(Bytes bytes, std::size_t offset, const bpftrap_process& wire) {
  Process process;
  process.id = {wire.pid, wire.start_boot_ns};
  process.parent = {wire.ppid, wire.parent_start_boot_ns};
  process.local_pid = wire.local_pid;
  process.local_parent = wire.local_ppid;
  process.ns_pid = wire.ns_pid;
  process.pid_ns_inode = wire.pid_ns_inode;
  process.uid = wire.uid;
  process.gid = wire.gid;
  process.euid = wire.euid;
  process.egid = wire.egid;
  process.login_uid = audit_number(wire.login_uid);
  process.audit_session = audit_number(wire.audit_session);
  process.session_id = wire.session_id;
  process.process_group = wire.process_group;
  process.tty = terminal_name(bytes, offset + offsetof(bpftrap_process, tty));
  process.comm = wire_text(bytes, offset + offsetof(bpftrap_process, comm), BPFTRAP_COMM_SIZE);
  process.parent_comm =
      wire_text(bytes, offset + offsetof(bpftrap_process, parent_comm), BPFTRAP_COMM_SIZE);
  process.cgroup_id = wire.cgroup_id;
  return process;
}

// Removes a NUL-terminated string from the front of `data`. Returns nullopt if `size` is 0.
std::optional<std::string_view> take_string(Bytes& data, std::size_t size) {
  std::string_view all = text(data.first(size));
  data = data.subspan(size);
  if (all.empty()) {
    return std::nullopt;
  }
  return all.substr(0, all.find('\0'));
}

// Copies the event struct at the front of a record, and returns the data behind it. Members that a
// newer bpftrap has appended are skipped. Returns nullopt if the struct is too short.
template <class Wire>
std::optional<Bytes> read_event(Bytes bytes, Wire& wire) {
  if (!read_wire(bytes, wire) || wire.header.fixed < sizeof wire ||
      wire.header.fixed > bytes.size()) {
    return std::nullopt;
  }
  return bytes.subspan(wire.header.fixed);
}

// Before its first exec a process has one memory map. Later maps are compared by the tracer.
std::optional<std::uint64_t> peak_rss(const bpftrap_exit_event& wire, const Machine& machine) {
  if ((wire.flags & BPFTRAP_EXIT_PEAK_KNOWN) != 0) {
    return wire.peak_rss_pages * machine.page_size;
  }
  return (wire.flags & BPFTRAP_EXIT_EXECUTED) == 0
             ? std::optional(wire.max_rss_pages * machine.page_size)
             : std::nullopt;
}

// Returns nullopt if no process sent the signal.
std::optional<Sender> sender_of(Bytes bytes, std::size_t offset, const bpftrap_sender& wire) {
  if (wire.pid == 0) {
    return std::nullopt;
  }
  return Sender{{wire.pid, wire.start_boot_ns},
                wire.local_pid,
                wire_text(bytes, offset + offsetof(bpftrap_sender, comm), BPFTRAP_COMM_SIZE)};
}

std::optional<LastSignal> last_signal_of(Bytes bytes, const bpftrap_exit_event& wire) {
  std::optional<Sender> sender =
      sender_of(bytes, offsetof(bpftrap_exit_event, last_sender), wire.last_sender);
  if (!sender || wire.last_signal == 0) {
    return std::nullopt;
  }
  BootTime sent = wire_time(wire.last_boot_ns);
  return LastSignal{static_cast<int>(wire.last_signal), *sender,
                    std::max(wire_time(wire.header.boot_ns) - sent, {})};
}

ProcessFile::Kind kind_of(std::uint8_t wire) {
  using Kind = ProcessFile::Kind;
  switch (wire) {
    case BPFTRAP_PATH_REACHED:
      return Kind::path;
    case BPFTRAP_PATH_OUTSIDE:
      return Kind::outside;
    case BPFTRAP_PATH_LONG:
      return Kind::too_long;
    case BPFTRAP_PATH_PIPE:
      return Kind::pipe;
    case BPFTRAP_PATH_SOCKET:
      return Kind::socket;
    case BPFTRAP_PATH_ANON:
    case BPFTRAP_PATH_PIDFD:
      return Kind::anonymous;
    default:
      return Kind::none;
  }
}

// Removes the bytes of a file's name from the front of `data`.
ProcessFile take_file(Bytes& data, const bpftrap_path& wire) {
  ProcessFile file;
  file.kind = kind_of(wire.kind);
  file.deleted = wire.deleted != 0;
  Bytes name = data.first(wire.len);
  data = data.subspan(wire.len);
  if (file.kind == ProcessFile::Kind::pipe || file.kind == ProcessFile::Kind::socket) {
    std::memcpy(&file.inode, name.data(), std::min(sizeof file.inode, name.size()));
  } else {
    file.name = wire.kind == BPFTRAP_PATH_PIDFD ? "[pidfd]" : text(name);
  }
  return file;
}

std::size_t size_of(const std::span<const bpftrap_path> paths) {
  std::size_t size = 0;
  for (const bpftrap_path& path : paths) {
    size += path.len;
  }
  return size;
}

std::chrono::nanoseconds nanoseconds(std::uint64_t value) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(value));
}

ThreadAccount account_of(const bpftrap_account& wire) {
  return {wire.tid, wire.state, nanoseconds(wire.runtime_ns), nanoseconds(wire.run_delay_ns),
          wire.voluntary_switches};
}

bool has_times(const bpftrap_account& wire) {
  return is_time(wire.runtime_ns) && is_time(wire.run_delay_ns);
}

// Returns one variable, so that the compiler need not copy a record.
Decoded decode_exec(Bytes bytes, const Machine& machine) {
  Decoded decoded;
  bpftrap_exec_event wire;
  std::optional<Bytes> behind = read_event(bytes, wire);
  if (!behind) {
    return decoded;
  }
  Bytes data = *behind;
  std::size_t filename_len = wire.filename_len;
  bool redacted = (wire.flags & BPFTRAP_EXEC_REDACTED) != 0;
  if (filename_len + wire.interp_len + wire.args_len + size_of(wire.paths) != data.size() ||
      (!redacted && wire.args_len > wire.args_size)) {
    return decoded;
  }
  auto& record = decoded.emplace<ExecRecord>();
  record.time = wire_time(wire.header.boot_ns);
  record.process = process_of(bytes, offsetof(bpftrap_exec_event, process), wire.process);
  record.exe = take_file(data, wire.paths[BPFTRAP_PATH_EXE]);
  record.cwd = take_file(data, wire.paths[BPFTRAP_PATH_CWD]);
  for (std::size_t fd = 0; fd < record.standard_files.size(); ++fd) {
    record.standard_files[fd] = take_file(data, wire.paths[BPFTRAP_PATH_STDIN + fd]);
  }
  record.filename = take_string(data, filename_len);
  record.interp = take_string(data, wire.interp_len);
  // For a failed execve whose arguments could not be read to the end, both values are unknown.
  bool unreadable = (wire.flags & BPFTRAP_EXEC_ARGS_UNREADABLE) != 0;
  bool uncounted =
      (wire.flags & BPFTRAP_EXEC_ARGS_UNCOUNTED) != 0 || (unreadable && wire.error != 0);
  if (!unreadable) {
    bool cut =
        redacted ? (wire.flags & BPFTRAP_EXEC_ARGS_CUT) != 0 : wire.args_len < wire.args_size;
    record.args = Arguments{text(data), uncounted || cut};
  }
  record.args_size = std::nullopt;
  if (!uncounted) {
    record.args_size = wire.args_size;
  }
  record.cap_effective = wire.cap_effective;
  record.umask = wire.umask & 0777U;
  record.secure = (wire.flags & BPFTRAP_EXEC_SECURE) != 0;
  record.env_requested = (wire.flags & BPFTRAP_EXEC_ENV_REQUESTED) != 0;
  record.env_size = wire.env_len;
  record.error = wire.error;
  record.wanted = (wire.flags & BPFTRAP_EXEC_UNWANTED) == 0;
  record.exec_id = wire.exec_id;
  if (wire.max_rss_pages != 0) {
    record.max_rss_bytes = wire.max_rss_pages * machine.page_size;
  }
  return decoded;
}

Decoded decode_exit(Bytes bytes, const Machine& machine) {
  Decoded decoded;
  bpftrap_exit_event wire;
  std::optional<Bytes> data = read_event(bytes, wire);
  if (!data || !data->empty() || !is_time(wire.process.start_boot_ns) ||
      !is_time(wire.runtime_ns) || !is_time(wire.prev_utime_ns) || !is_time(wire.prev_stime_ns) ||
      !is_time(wire.prev_utime_ns + wire.prev_stime_ns) || !is_time(wire.last_boot_ns) ||
      !is_time(wire.run_delay_ns) || !is_time(wire.unaccounted_ns) || !is_time(wire.ending_ns) ||
      !has_times(wire.parent) || wire.last_signal > 64) {
    return decoded;
  }
  using ns = std::chrono::nanoseconds;
  auto& record = decoded.emplace<ExitRecord>();
  record.time = wire_time(wire.header.boot_ns);
  record.process = process_of(bytes, offsetof(bpftrap_exit_event, process), wire.process);
  record.wait_status = static_cast<int>(wire.wait_status);
  record.killer = sender_of(bytes, offsetof(bpftrap_exit_event, killer), wire.killer);
  record.last_signal = last_signal_of(bytes, wire);
  record.executed = (wire.flags & BPFTRAP_EXIT_EXECUTED) != 0;
  record.exec_id = wire.exec_id;
  record.exec_unsent = (wire.flags & BPFTRAP_EXIT_EXEC_UNSENT) != 0;
  // The flag alone is not enough: the kernel also sets it on a victim that is already exiting.
  record.oom_killed = (wire.flags & BPFTRAP_EXIT_OOM_VICTIM) != 0 &&
                      WIFSIGNALED(record.wait_status) && WTERMSIG(record.wait_status) == SIGKILL &&
                      !record.killer;
  // The event clock may lag by some nanoseconds, so avoid a negative duration
  // (kernel/time/timekeeping.c, ktime_get_boot_fast_ns()).
  record.duration = std::max(
      nanoseconds(wire.header.boot_ns) - nanoseconds(wire.process.start_boot_ns), ns::zero());
  if ((wire.flags & BPFTRAP_EXIT_WAIT_KNOWN) != 0) {
    record.cpu_wait = nanoseconds(wire.run_delay_ns);
  }
  record.had_threads = (wire.flags & BPFTRAP_EXIT_HAD_THREADS) != 0;
  record.cpu = adjust_cpu_times(
      {nanoseconds(wire.utime_ns), nanoseconds(wire.stime_ns)},
      total_cpu_time({nanoseconds(wire.runtime_ns), nanoseconds(wire.unaccounted_ns),
                      nanoseconds(wire.ending_ns), record.duration, record.cpu_wait,
                      record.had_threads, wire.voluntary_switches != 0,
                      (wire.flags & BPFTRAP_EXIT_CLOCK_KNOWN) != 0}),
      {nanoseconds(wire.prev_utime_ns), nanoseconds(wire.prev_stime_ns)});
  record.parent = account_of(wire.parent);
  record.max_rss_bytes = wire.max_rss_pages * machine.page_size;
  record.peak_rss_bytes = peak_rss(wire, machine);
  if ((wire.flags & BPFTRAP_EXIT_IO_COUNTED) != 0) {
    record.io = StorageIo{wire.io_read_bytes, wire.io_write_bytes};
  }
  record.minor_faults = wire.minor_faults;
  record.major_faults = wire.major_faults;
  record.voluntary_switches = wire.voluntary_switches;
  record.involuntary_switches = wire.involuntary_switches;
  return decoded;
}

Decoded decode_cgroup(Bytes bytes) {
  bpftrap_cgroup_event wire;
  std::optional<Bytes> names = read_event(bytes, wire);
  if (!names || wire.names_len != names->size()) {
    return Malformed{};
  }
  return CgroupRecord{wire.id, text(*names), (wire.flags & BPFTRAP_CGROUP_TRUNCATED) != 0};
}

Decoded decode_fork(Bytes bytes) {
  bpftrap_fork_event wire;
  if (!read_event(bytes, wire) || !has_times(wire.account)) {
    return Malformed{};
  }
  return ForkRecord{wire_time(wire.header.boot_ns),
                    process_of(bytes, offsetof(bpftrap_fork_event, process), wire.process),
                    (wire.flags & BPFTRAP_FORK_WANTED) != 0,
                    account_of(wire.account),
                    {wire.creator_pid, wire.creator_start_boot_ns}};
}

Decoded decode_gone(Bytes bytes) {
  bpftrap_gone_event wire;
  if (!read_event(bytes, wire)) {
    return Malformed{};
  }
  return GoneRecord{{wire.pid, wire.start_boot_ns}, wire.local_pid};
}

Decoded decode_environment(Bytes bytes) {
  bpftrap_environment_event wire;
  std::optional<Bytes> strings = read_event(bytes, wire);
  if (!strings || wire.len != strings->size()) {
    return Malformed{};
  }
  return EnvironmentRecord{{wire.pid, wire.start_boot_ns}, text(*strings)};
}

Decoded decode_final(Bytes bytes) {
  bpftrap_final_event wire;
  if (!read_event(bytes, wire) || !is_time(wire.runtime_ns) || !is_time(wire.prev_utime_ns) ||
      !is_time(wire.prev_stime_ns) || !is_time(wire.run_delay_ns)) {
    return Malformed{};
  }
  FinalRecord record;
  record.id = {wire.pid, wire.start_boot_ns};
  record.cpu = adjust_cpu_times({nanoseconds(wire.utime_ns), nanoseconds(wire.stime_ns)},
                                nanoseconds(wire.runtime_ns),
                                {nanoseconds(wire.prev_utime_ns), nanoseconds(wire.prev_stime_ns)});
  if ((wire.flags & BPFTRAP_EXIT_WAIT_KNOWN) != 0) {
    record.cpu_wait = nanoseconds(wire.run_delay_ns);
  }
  return record;
}

Decoded decode_cgroup_gone(Bytes bytes) {
  bpftrap_cgroup_gone_event wire;
  if (!read_event(bytes, wire)) {
    return Malformed{};
  }
  return CgroupGoneRecord{wire.id};
}

}  // namespace

std::optional<std::span<const std::byte>> unframe(std::span<const std::byte> bytes,
                                                  bpftrap_record_header& header) {
  if (!read_wire(bytes, header) || header.version != BPFTRAP_WIRE_VERSION ||
      header.size < sizeof header || header.size > bytes.size() || !is_time(header.boot_ns)) {
    return std::nullopt;
  }
  // Reservations have a fixed size; bytes beyond the record are left over from older ones.
  return bytes.first(header.size);
}

std::string_view wire_text(Bytes bytes, std::size_t offset, std::size_t size) {
  std::string_view all = text(bytes.subspan(offset, size));
  return all.substr(0, all.find('\0'));
}

BootTime wire_time(std::uint64_t boot_ns) {
  return BootTime(std::chrono::nanoseconds(static_cast<std::int64_t>(boot_ns)));
}

const Machine& this_machine() {
  static const Machine machine{static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
  return machine;
}

Decoded decode(Bytes bytes, const Machine& machine) {
  bpftrap_record_header header;
  std::optional<Bytes> record = unframe(bytes, header);
  return record ? decode_as(*record, header.kind, machine) : Malformed{};
}

Decoded decode_as(Bytes record, std::uint8_t kind, const Machine& machine) {
  switch (kind) {
    case BPFTRAP_RECORD_EXEC:
      return decode_exec(record, machine);
    case BPFTRAP_RECORD_EXIT:
      return decode_exit(record, machine);
    case BPFTRAP_RECORD_CGROUP:
      return decode_cgroup(record);
    case BPFTRAP_RECORD_ENVIRONMENT:
      return decode_environment(record);
    case BPFTRAP_RECORD_FORK:
      return decode_fork(record);
    case BPFTRAP_RECORD_GONE:
      return decode_gone(record);
    case BPFTRAP_RECORD_FINAL:
      return decode_final(record);
    case BPFTRAP_RECORD_CGROUP_GONE:
      return decode_cgroup_gone(record);
    default:
      return Malformed{};
  }
}

}  // namespace bpftrap
