// SPDX-License-Identifier: GPL-2.0-only
// Fields that identify a process, for every record with a member `Process process`.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/record/field_builders.h"

namespace bpftrap {

template <class Record>
std::optional<ProcessId> parent_id(const Record& r) {
  return r.process.parent.pid != 0 ? std::optional(r.process.parent) : std::nullopt;
}

template <class Record>
std::optional<Pid> local_pid(const Record& r) {
  return r.process.local_pid != 0 ? std::optional(r.process.local_pid) : std::nullopt;
}

// The kernel's name of a terminal is `pts3`; its device file is /dev/pts/3.
template <class Record>
std::optional<std::string> terminal(const Record& r) {
  if (!r.process.tty) {
    return std::nullopt;
  }
  std::string name(*r.process.tty);
  bool is_pts = name.starts_with("pts") && name.find_first_not_of("0123456789", 3) == name.npos;
  return is_pts ? name.insert(3, "/") : name;
}

// Prints a process id for people: in bpftrap's own pid namespace, or `-` outside it. Pid 0 is that
// of no process, and stays.
inline void append_local_pid(std::string& out, Pid local_pid, Pid pid) {
  out += local_pid != 0 || pid == 0 ? std::to_string(local_pid) : "-";
}

// Prints `comm[pid]`, safe for a terminal.
inline void append_process(std::string& out, std::string_view comm, Pid local_pid, Pid pid) {
  append_terminal_safe(out, comm);
  out += '[';
  append_local_pid(out, local_pid, pid);
  out += ']';
}

// Prints `sh[12] < make[11] < bash[5]`, and `…` for ancestors that are not known.
inline void append_ancestors(std::string& out, const Ancestors& ancestors) {
  std::string_view between;
  for (const Ancestor& one : ancestors.known) {
    out += between;
    append_process(out, one.comm, one.local_pid, one.pid);
    between = " < ";
  }
  if (ancestors.more) {
    out += between;
    out += "…";
  }
  if (ancestors.known.empty() && !ancestors.more) {
    out += '-';
  }
}

template <class R>
constexpr auto number_fields() {
  return std::array{
      field<&R::process, &Process::id>(
          "id", "PID-START, START in nanoseconds of CLOCK_BOOTTIME; unique within one boot"),
      field<&parent_id<R>>("parent_id", "id of the real parent; null if there is none"),
      field<&R::process, &Process::id, &ProcessId::pid>(
          "pid", "process id (thread-group id) in the initial pid namespace")
          .column("PID", 7, Align::right)
          .shows("process id in bpftrap's own pid namespace; - outside it")
          .cell([](const R& r, Context, std::string& out) {
            append_local_pid(out, r.process.local_pid, r.process.id.pid);
          }),
      field<&R::process, &Process::parent, &ProcessId::pid>(
          "ppid", "process id of the real parent in the initial pid namespace")
          .column("PPID", 7, Align::right)
          .shows("process id of the real parent in bpftrap's own pid namespace; - outside it")
          .cell([](const R& r, Context, std::string& out) {
            append_local_pid(out, r.process.local_parent, r.process.parent.pid);
          }),
      field<&local_pid<R>>("local_pid",
                           "process id in bpftrap's own pid namespace; null outside it"),
      field<&R::process, &Process::parent_comm>("parent_comm",
                                                "name of the real parent, up to 15 bytes"),
      table_only<R>("name and process id of the real parent")
          .column("PARENT", 12)
          .roomy(18)
          .cell([](const R& r, Context, std::string& out) {
            if (r.process.parent.pid == 0) {
              out += '-';
            } else {
              append_process(out, r.process.parent_comm, r.process.local_parent,
                             r.process.parent.pid);
            }
          }),
      table_only<R>("the processes that led to this one by fork, the parent first")
          .column("ANCESTORS", 24)
          .roomy(36)
          .cut_on_terminal()
          .cell([](const R& r, Context, std::string& out) {
            append_ancestors(out, r.process.ancestors);
          }),
  };
}

template <class R>
constexpr auto owner_fields() {
  return std::array{
      field<&R::process, &Process::uid>("uid", "real user id")
          .column("USER", 8)
          .shows("real user, by name if it has one")
          .cell([](const R& r, Context c, std::string& out) {
            append_terminal_safe(out, c.users.name(r.process.uid));
          }),
      field<&R::process, &Process::gid>("gid", "real group id"),
      field<&R::process, &Process::euid>("euid", "effective user id"),
      field<&R::process, &Process::egid>("egid", "effective group id"),
      field<&R::process, &Process::login_uid>(
          "login_uid", "user who logged in, as /proc/PID/loginuid; null if unset"),
      field<&R::process, &Process::audit_session>(
          "audit_session", "audit session of that login, as /proc/PID/sessionid; null if unset"),
      field<&R::process, &Process::session_id>(
          "session_id", "session, as getsid(), in the initial pid namespace; 0 if there is none"),
      field<&R::process, &Process::process_group>(
          "process_group",
          "process group, as getpgid(), in the initial pid namespace; 0 if there is none"),
      field<&terminal<R>>(
          "tty", "controlling terminal without /dev, such as pts/3; null if there is none"),
  };
}

template <class R>
constexpr auto place_fields() {
  return std::array{
      field<&R::process, &Process::comm>("comm", "name of the thread-group leader, up to 15 bytes")
          .column("COMM", 15),
      field<&R::process, &Process::cgroup>(
          "cgroup",
          "path in the cgroup v2 hierarchy, or in that of v1 if v2 is unused; null if unknown"),
      field<&R::process, &Process::unit>("unit", "innermost systemd unit in that path; else null"),
      field<&R::process, &Process::container_id>(
          "container_id", "innermost container id (64 hex digits) in that path; else null"),
      field<&R::process, &Process::pid_ns_inode>(
          "pid_ns_inode",
          "the innermost pid namespace of the process, as `stat -L -c %i /proc/PID/ns/pid`"),
      field<&R::process, &Process::ns_pid>("ns_pid", "process id in that namespace"),
  };
}

}  // namespace bpftrap
