// SPDX-License-Identifier: GPL-2.0-only
// Fields of `fork`, `exec` and `exit` records.
#include <sys/wait.h>

#include <algorithm>

#include "core/record/process_fields.h"
#include "core/record/signal_name.h"

namespace bpftrap {

namespace {

// Appends a command line that a shell can run, or `[comm]`, as ps does, if it is not known.
void append_command(std::string& out, const std::optional<Arguments>& args,
                    const Process& process) {
  if (args) {
    append_command_line(out, args->bytes, args->truncated);
    return;
  }
  out += '[';
  append_terminal_safe(out, process.comm);
  out += ']';
}

// Draws descent as `ps f` does, down to the 16th level. A deeper one is printed as a number,
// because a process may have thousands of ancestors.
void append_branch(std::string& out, unsigned depth) {
  constexpr unsigned deepest = 16;
  if (depth == 0) {
    return;
  }
  std::string level = depth > deepest ? std::to_string(depth) : "";
  out.append(std::size_t{4} * (std::min(depth, deepest) - 1) - level.size(), ' ');
  out += level;
  out += " \\_ ";
}

// Prints the path of a failed exec instead of argv[0], because a PATH search tries many paths.
void append_exec_command(std::string& out, const ExecRecord& r) {
  append_branch(out, r.depth);
  if (r.error == 0 || !r.filename) {
    append_command(out, r.args, r.process);
    return;
  }
  std::string words(*r.filename);
  words += '\0';
  if (r.args) {
    std::string_view args = r.args->bytes;
    std::size_t end = args.find('\0');
    words += end == std::string_view::npos ? std::string_view() : args.substr(end + 1);
  }
  append_command_line(out, words, !r.args || r.args->truncated);
}

bool args_truncated(const ExecRecord& r) {
  return r.args ? r.args->truncated : r.args_size != 0U;
}

Hex cap_effective(const ExecRecord& r) {
  return {r.cap_effective};
}

template <ProcessFile ExecRecord::*file>
std::optional<std::string_view> path_of(const ExecRecord& r) {
  return usable_path(r.*file);
}

template <ProcessFile ExecRecord::*file>
std::optional<bool> deleted(const ExecRecord& r) {
  return is_deleted(r.*file);
}

template <std::size_t fd>
std::optional<std::string> standard_file(const ExecRecord& r) {
  return link_text(r.standard_files[fd]);
}

std::optional<std::string> error_name(const ExecRecord& r) {
  return r.error != 0 ? std::optional(errno_name(r.error)) : std::nullopt;
}

std::optional<bool> are_args_truncated(const ExitRecord& r) {
  return r.args ? std::optional(r.args->truncated) : std::nullopt;
}

std::optional<std::uint64_t> exit_code(const ExitRecord& r) {
  return WIFSIGNALED(r.wait_status) ? std::nullopt
                                    : std::optional<std::uint64_t>(WEXITSTATUS(r.wait_status));
}

std::optional<std::string> ending_signal(const ExitRecord& r) {
  return WIFSIGNALED(r.wait_status) ? std::optional(signal_name(WTERMSIG(r.wait_status)))
                                    : std::nullopt;
}

std::optional<std::string> last_signal(const ExitRecord& r) {
  return r.last_signal ? std::optional(signal_name(r.last_signal->signal)) : std::nullopt;
}

void append_sender(std::string& out, const Sender& sender) {
  append_process(out, sender.comm, sender.local_pid, sender.id.pid);
}

// Appends the signal that probably made the process end by itself. One of long ago had another
// purpose, such as to reread a configuration, so its age is shown.
void append_last_signal(std::string& out, const LastSignal& last) {
  if (last.age >= std::chrono::minutes(1)) {
    out += ", ";
    append_human_duration(out, last.age);
  }
  out += " after ";
  out += signal_name(last.signal);
  out += " from ";
  append_sender(out, last.sender);
}

bool parent_blocked(const ExitRecord& r) {
  return r.parent.blocked();
}

bool core_dumped(const ExitRecord& r) {
  return WCOREDUMP(r.wait_status) != 0;
}

// The program that it ran at its end.
constexpr auto last_program_fields() {
  using R = ExitRecord;
  return std::array{
      field<&R::filename>("filename", "the path given to its last execve; null if none was seen"),
      field<&R::exe>("exe", "exe of its last exec; null if none was seen"),
      field<&R::cwd>("cwd", "cwd of its last exec; null if none was seen"),
      field<&R::args>("args", "argv of its last execve; null if none was seen")
          .column("COMMAND")
          .shows("argv, quoted for a POSIX shell; [comm] if it is unknown")
          .cell([](const R& r, Context, std::string& out) {
            append_branch(out, r.depth);
            append_command(out, r.args, r.process);
          }),
      field<&are_args_truncated>(
          "args_truncated", "true if args holds less than the full argv; null if args is null"),
  };
}

// Why it ended.
constexpr auto ending_fields() {
  using R = ExitRecord;
  return std::array{
      field<&exit_code>("exit_code", "0 to 255, as wait4() reports it; null if a signal ended it"),
      field<&ending_signal>("signal", "name of the signal that ended it; else null"),
      field<&core_dumped>("core_dumped", "true if a core was dumped"),
      field<&R::oom_killed>("oom_killed", "true if the kernel's out-of-memory killer chose it"),
      field<&R::killer, &Sender::id, &ProcessId::pid>(
          "killer_pid", "process that sent the signal that ended it; null if none did"),
      field<&R::killer, &Sender::comm>("killer_comm", "name of that process"),
      field<&R::killer, &Sender::id>("killer_id", "id of that process"),
      field<&last_signal>("last_signal",
                          "the last SIGTERM, SIGINT, SIGHUP, SIGQUIT or SIGABRT that another "
                          "process sent to it; null if none did"),
      field<&R::last_signal, &LastSignal::sender, &Sender::id, &ProcessId::pid>(
          "last_signal_pid", "process that sent last_signal"),
      field<&R::last_signal, &LastSignal::sender, &Sender::comm>("last_signal_comm",
                                                                 "name of that process"),
      field<&R::last_signal, &LastSignal::sender, &Sender::id>("last_signal_id",
                                                               "id of that process"),
      field<&R::last_signal, &LastSignal::age>(
          "last_signal_age_ns", "nanoseconds from last_signal to the end of the process"),
      field<&parent_blocked>("parent_blocked",
                             "true if the parent thread slept when it ended; may be a reaper"),
  };
}

// Its cost.
constexpr auto cost_fields() {
  using R = ExitRecord;
  return std::array{
      field<&R::duration>(
          "duration_ns",
          "nanoseconds from the start (fork) of the process to its end, suspend included")
          .column("DURATION", 8, Align::right)
          .shows("time from the start (fork) of the process to its end, suspend included"),
      field<&R::cpu, &CpuTimes::user>(
          "cpu_user_ns",
          "nanoseconds of CPU time of all its threads in user mode, without its children"),
      field<&R::cpu, &CpuTimes::system>(
          "cpu_sys_ns",
          "nanoseconds of CPU time of all its threads in the kernel, without its children"),
      field<&R::cpu_wait>("cpu_wait_ns",
                          "nanoseconds that its threads were runnable without a CPU; null if the "
                          "kernel does not count"),
      table_only<R>("CPU time of all its threads, user and system, without its children")
          .column("CPU", 6, Align::right)
          .cell([](const R& r, Context, std::string& out) {
            append_human_duration(out, r.cpu.user + r.cpu.system);
          }),
      field<&R::max_rss_bytes>("max_rss_bytes",
                               "largest resident set in bytes, as ru_maxrss, which includes memory "
                               "from before the exec"),
      field<&R::peak_rss_bytes>(
          "peak_rss_bytes",
          "largest resident set of its last program in bytes, as VmHWM; null if unknown"),
      table_only<R>("peak_rss_bytes, or max_rss_bytes if the former is unknown")
          .column("RSS", 5, Align::right)
          .cell([](const R& r, Context, std::string& out) {
            append_human_size(out, largest_rss(r));
          }),
      field<&R::io, &StorageIo::read_bytes>(
          "io_read_bytes",
          "bytes read from storage, as read_bytes of /proc/PID/io; null if not counted"),
      field<&R::io, &StorageIo::write_bytes>(
          "io_write_bytes",
          "bytes written to storage, as write_bytes of /proc/PID/io; null if not counted"),
      field<&R::minor_faults>("minor_faults", "page faults without storage I/O, as ru_minflt"),
      field<&R::major_faults>("major_faults", "page faults with storage I/O, as ru_majflt"),
      field<&R::voluntary_switches>("voluntary_switches",
                                    "context switches because it waited, as ru_nvcsw"),
      field<&R::involuntary_switches>("involuntary_switches",
                                      "context switches because it was preempted, as ru_nivcsw"),
  };
}

}  // namespace

void append_status(std::string& out, const ExitRecord& record) {
  if (!WIFSIGNALED(record.wait_status)) {
    out += std::to_string(WEXITSTATUS(record.wait_status));
    if (record.last_signal) {
      append_last_signal(out, *record.last_signal);
    }
    return;
  }
  out += signal_name(WTERMSIG(record.wait_status));
  if (WCOREDUMP(record.wait_status)) {
    out += " (core dumped)";
  }
  if (record.oom_killed) {
    out += " by oom-killer";
  } else if (record.killer) {
    out += " from ";
    append_sender(out, *record.killer);
  }
}

std::string status_text(int wait_status, bool oom_killed) {
  ExitRecord record;
  record.wait_status = wait_status;
  record.oom_killed = oom_killed;
  std::string text;
  append_status(text, record);
  return text;
}

FieldTable fields_of(const ForkRecord*) {
  using R = ForkRecord;
  static constexpr auto table =
      field_table<R>(event_field<R>("fork"), time_field<R>(), boot_ns_field<R>(),
                     number_fields<R>(), owner_fields<R>(), place_fields<R>(),
                     table_only<R>("name of the process, because it has executed nothing yet")
                         .column("COMMAND")
                         .cell([](const R& r, Context, std::string& out) {
                           append_branch(out, r.depth);
                           append_command(out, std::nullopt, r.process);
                         }));
  return table;
}

FieldTable fields_of(const ExecRecord*) {
  using R = ExecRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("exec"), time_field<R>(), boot_ns_field<R>(), number_fields<R>(),
      owner_fields<R>(), place_fields<R>(),
      field<&R::filename>("filename", "the path given to execve; for a script, the script"),
      field<&R::interp>("interp",
                        "the interpreter that the kernel started for a script; else null"),
      field<&path_of<&R::exe>>("exe",
                               "the file that the kernel runs, as the process sees /proc/self/exe; "
                               "null if its path is too long or outside the root"),
      field<&deleted<&R::exe>>("exe_deleted",
                               "true if that file has no name any more; null if unknown"),
      field<&path_of<&R::cwd>>("cwd",
                               "current directory, relative to the root of the process; null if "
                               "its path is too long or outside the root"),
      field<&deleted<&R::cwd>>("cwd_deleted",
                               "true if that directory was removed; null if unknown"),
      field<&R::args>("args", "argv; null if it could not be read")
          .column("COMMAND")
          .shows("argv, quoted for a POSIX shell; [comm] if it is unknown")
          .cell([](const R& r, Context, std::string& out) { append_exec_command(out, r); }),
      field<&R::args_size>(
          "args_size",
          "full size of argv in bytes, including a NUL after each argument; null if unknown"),
      field<&args_truncated>("args_truncated", "true if args holds less than the full argv"),
      field<&R::env>("env",
                     "NAME=value strings of the variables that --env names; null without --env"),
      field<&standard_file<0>>("stdin",
                               "what standard input refers to, as readlink /proc/PID/fd/0; null if "
                               "closed or not requested"),
      field<&standard_file<1>>("stdout", "the same for standard output"),
      field<&standard_file<2>>("stderr", "the same for standard error"),
      field<&cap_effective>("cap_effective",
                            "effective capabilities, 16 hex digits, as CapEff in /proc/PID/status"),
      field<&R::secure>("secure", "true if the program got privileges by the exec (AT_SECURE)"),
      field<&error_name>("errno", "name of the error of a failed exec, such as ENOENT; else null")
          .column("STATUS")
          .roomy(10)
          .styled([](const R& r) { return r.error != 0 ? Style::failure : Style::plain; }));
  return table;
}

FieldTable fields_of(const FinalRecord*) {
  using R = FinalRecord;
  static constexpr auto table = field_table<R>(event_field<R>("final"));
  return table;
}

FieldTable fields_of(const ExitRecord*) {
  using R = ExitRecord;
  static constexpr auto table = field_table<R>(
      event_field<R>("exit"), time_field<R>(), boot_ns_field<R>(), number_fields<R>(),
      owner_fields<R>(), place_fields<R>(), last_program_fields(), ending_fields(), cost_fields(),
      table_only<R>(
          "exit code, or the signal that ended it and its sender; of a failed exec, the error")
          .column("STATUS")
          .roomy(10)
          .cell([](const R& r, Context, std::string& out) { append_status(out, r); })
          .styled([](const R& r) { return r.wait_status != 0 ? Style::failure : Style::success; }));
  return table;
}

}  // namespace bpftrap
