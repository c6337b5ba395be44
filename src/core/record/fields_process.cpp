// SPDX-License-Identifier: GPL-2.0-only
// The fields of `exec` and `exit` records.
#include <sys/wait.h>

#include <algorithm>

#include "core/record/fields_common.h"
#include "core/record/signal_name.h"

namespace bpftrap {

namespace {

using detail::Context;

std::uint64_t count(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

// As `ps f` draws descent, down to the 16th level: who is deeper stands there with a number. A
// process may have thousands of ancestors, and would make rows of kilobytes.
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

// Of an exec that failed the path matters, not what argv calls it: a search along PATH tries many.
void append_exec_command(std::string& out, const ExecRecord& r) {
  append_branch(out, r.depth);
  if (r.error == 0 || !r.filename) {
    detail::append_command(out, r.args, "(unreadable)");
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

const std::vector<Field<ExecRecord>>& exec_fields() {
  using R = ExecRecord;
  static const std::vector<Field<R>> table = detail::join<R>(
      std::array<Field<R>, 3>{
          detail::event_field<R>([](const R&, Context) { return Value(std::string_view("exec")); },
                                 [](const R&, Context, std::string& out) { out += "exec"; }),
          detail::ts_field<R>(), detail::boot_ns_field<R>()},
      detail::process_fields<R>(),
      std::array<Field<R>, 7>{{
          {.key = "filename",
           .nullable = true,
           .doc = "the path given to execve; for a script the script",
           .value = [](const R& r, Context) { return detail::optional_value(r.filename); }},
          {.key = "interp",
           .nullable = true,
           .doc = "the interpreter that the kernel started for a script; else null",
           .value = [](const R& r, Context) { return detail::optional_value(r.interp); }},
          {.key = "args",
           .header = "COMMAND",
           .type = JsonType::strings,
           .nullable = true,
           .doc = "argv; null where it could not be read",
           .value = [](const R& r, Context) { return detail::args_value(r.args); },
           .cell = [](const R& r, Context, std::string& out) { append_exec_command(out, r); }},
          {.key = "args_size",
           .type = JsonType::integer,
           .nullable = true,
           .doc = "true size of argv in bytes, with a NUL behind each argument; null where unknown",
           .value = [](const R& r,
                       Context) { return r.args_size ? Value(*r.args_size) : Value(); }},
          {.key = "args_truncated",
           .type = JsonType::boolean,
           .doc = "whether args holds less than there was",
           .value = [](const R& r,
                       Context) { return Value(r.args ? r.args->truncated : r.args_size != 0U); }},
          {.key = "errno",
           .header = "STATUS",
           .width = 12,
           .nullable = true,
           .doc = "null; for an exec that failed the name of the error, such as ENOENT",
           .value = [](const R& r,
                       Context) { return r.error != 0 ? Value(errno_name(r.error)) : Value(); },
           .cell = [](const R& r, Context,
                      std::string& out) { out += r.error != 0 ? errno_name(r.error) : "-"; },
           .style = [](const R& r) { return r.error != 0 ? Style::failure : Style::plain; }},
          {.header = "DURATION",
           .width = 8,
           .align = Align::right,
           .cell = [](const R&, Context, std::string& out) { out += '-'; }},
      }});
  return table;
}

bool signaled(const ExitRecord& r) {
  return WIFSIGNALED(r.wait_status);
}

const std::vector<Field<ExitRecord>>& exit_fields() {
  using R = ExitRecord;
  static const std::vector<Field<R>> table = detail::join<R>(
      std::array<Field<R>, 3>{
          detail::event_field<R>([](const R&, Context) { return Value(std::string_view("exit")); },
                                 [](const R&, Context, std::string& out) { out += "exit"; }),
          detail::ts_field<R>(), detail::boot_ns_field<R>()},
      detail::process_fields<R>(),
      std::array<Field<R>, 19>{{
          {.key = "filename",
           .nullable = true,
           .doc = "the path given to its last execve; null where none was seen",
           .value = [](const R& r, Context) { return detail::optional_value(r.filename); }},
          {.key = "args",
           .header = "COMMAND",
           .type = JsonType::strings,
           .nullable = true,
           .doc = "argv of its last execve; null where none was seen",
           .value = [](const R& r, Context) { return detail::args_value(r.args); },
           .cell =
               [](const R& r, Context, std::string& out) {
                 append_branch(out, r.depth);
                 detail::append_command(out, r.args, "-");
               }},
          {.key = "exit_code",
           .type = JsonType::integer,
           .nullable = true,
           .doc = "0 to 255 as wait4() reports it; null where a signal ended it",
           .value =
               [](const R& r, Context) {
                 return signaled(r) ? Value()
                                    : Value(static_cast<std::uint64_t>(WEXITSTATUS(r.wait_status)));
               }},
          {.key = "signal",
           .nullable = true,
           .doc = "name of the signal that ended it; else null",
           .value =
               [](const R& r, Context) {
                 return signaled(r) ? Value(signal_name(WTERMSIG(r.wait_status))) : Value();
               }},
          {.key = "core_dumped",
           .type = JsonType::boolean,
           .doc = "whether a core was dumped",
           .value = [](const R& r, Context) { return Value(WCOREDUMP(r.wait_status) != 0); }},
          {.key = "oom_killed",
           .type = JsonType::boolean,
           .doc = "whether the kernel's out-of-memory killer chose it",
           .value = [](const R& r, Context) { return Value(r.oom_killed); }},
          {.key = "killer_pid",
           .type = JsonType::integer,
           .nullable = true,
           .doc = "process that sent the signal that ended it; null where none did",
           .value =
               [](const R& r, Context) {
                 return r.killer ? Value(std::uint64_t{r.killer->pid}) : Value();
               }},
          {.key = "killer_comm",
           .nullable = true,
           .doc = "name of that process",
           .value = [](const R& r, Context) { return r.killer ? Value(r.killer->comm) : Value(); }},
          {.key = "duration_ns",
           .header = "DURATION",
           .width = 8,
           .align = Align::right,
           .type = JsonType::integer,
           .doc = "nanoseconds from the start (fork) of the process to its end, suspend "
                  "included",
           .value = [](const R& r, Context) { return Value(count(r.duration)); },
           .cell = [](const R& r, Context,
                      std::string& out) { append_human_duration(out, r.duration); }},
          {.key = "cpu_user_ns",
           .type = JsonType::integer,
           .doc = "nanoseconds of CPU time of all its threads in user mode, without its "
                  "children",
           .value = [](const R& r, Context) { return Value(count(r.cpu.user)); }},
          {.key = "cpu_sys_ns",
           .type = JsonType::integer,
           .doc = "nanoseconds of CPU time of all its threads in the kernel, without its "
                  "children",
           .value = [](const R& r, Context) { return Value(count(r.cpu.system)); }},
          {.key = "max_rss_bytes",
           .header = "RSS",
           .width = 5,
           .align = Align::right,
           .type = JsonType::integer,
           .doc = "largest resident set in bytes, as ru_maxrss",
           .value = [](const R& r, Context) { return Value(r.max_rss_bytes); },
           .cell = [](const R& r, Context,
                      std::string& out) { append_human_size(out, r.max_rss_bytes); }},
          {.key = "io_read_bytes",
           .type = JsonType::integer,
           .nullable = true,
           .doc = "bytes read from storage, as read_bytes of /proc/PID/io; null where not "
                  "counted",
           .value = [](const R& r, Context) { return r.io ? Value(r.io->read_bytes) : Value(); }},
          {.key = "io_write_bytes",
           .type = JsonType::integer,
           .nullable = true,
           .doc = "bytes written to storage, as write_bytes of /proc/PID/io; null where "
                  "not counted",
           .value = [](const R& r, Context) { return r.io ? Value(r.io->write_bytes) : Value(); }},
          {.key = "minor_faults",
           .type = JsonType::integer,
           .doc = "page faults without storage I/O, as ru_minflt",
           .value = [](const R& r, Context) { return Value(r.minor_faults); }},
          {.key = "major_faults",
           .type = JsonType::integer,
           .doc = "page faults with storage I/O, as ru_majflt",
           .value = [](const R& r, Context) { return Value(r.major_faults); }},
          {.key = "voluntary_switches",
           .type = JsonType::integer,
           .doc = "context switches because it waited, as ru_nvcsw",
           .value = [](const R& r, Context) { return Value(r.voluntary_switches); }},
          {.key = "involuntary_switches",
           .type = JsonType::integer,
           .doc = "context switches because it was preempted, as ru_nivcsw",
           .value = [](const R& r, Context) { return Value(r.involuntary_switches); }},
          {.header = "STATUS",
           .width = 12,
           .cell = [](const R& r, Context, std::string& out) { append_status(out, r); },
           .style =
               [](const R& r) { return r.wait_status != 0 ? Style::failure : Style::success; }},
      }},
      std::array<Field<R>, 1>{{
          {.header = "CPU",
           .width = 7,
           .align = Align::right,
           .cell = [](const R& r, Context,
                      std::string& out) { append_human_duration(out, r.cpu.user + r.cpu.system); }},
      }});
  return table;
}

}  // namespace

void append_status(std::string& out, const ExitRecord& record) {
  if (!WIFSIGNALED(record.wait_status)) {
    out += std::to_string(WEXITSTATUS(record.wait_status));
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
    append_terminal_safe(out, record.killer->comm);
    out += '[';
    out += std::to_string(record.killer->pid);
    out += ']';
  }
}

std::span<const Field<ExecRecord>> fields_of(const ExecRecord*) {
  return exec_fields();
}

std::span<const Field<ExitRecord>> fields_of(const ExitRecord*) {
  return exit_fields();
}

}  // namespace bpftrap
