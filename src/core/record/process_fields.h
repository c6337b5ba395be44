// SPDX-License-Identifier: GPL-2.0-only
// Fields that identify a process, for every record with a member `Process process`.
#pragma once

#include <array>
#include <optional>

#include "core/record/field_builders.h"

namespace bpftrap {

template <class Record>
std::optional<ProcessId> parent_id(const Record& r) {
  return r.process.parent.pid != 0 ? std::optional(r.process.parent) : std::nullopt;
}

template <class R>
constexpr auto process_fields() {
  return std::array{
      field<&R::process, &Process::id>(
          "id", "PID-START, START in nanoseconds of CLOCK_BOOTTIME; unique within one boot"),
      field<&parent_id<R>>("parent_id", "id of the real parent; null if there is none"),
      field<&R::process, &Process::id, &ProcessId::pid>(
          "pid", "process id (thread-group id) in the initial pid namespace")
          .column("PID", 7, Align::right),
      field<&R::process, &Process::parent, &ProcessId::pid>("ppid", "process id of the real parent")
          .column("PPID", 7, Align::right),
      field<&R::process, &Process::parent_comm>("parent_comm",
                                                "name of the real parent, up to 15 bytes"),
      field<&R::process, &Process::uid>("uid", "real user id")
          .column("USER", 8)
          .cell([](const R& r, Context c, std::string& out) {
            append_terminal_safe(out, c.users.name(r.process.uid));
          }),
      field<&R::process, &Process::gid>("gid", "real group id"),
      field<&R::process, &Process::comm>("comm", "name of the thread-group leader, up to 15 bytes")
          .column("COMM", 15),
      field<&R::process, &Process::cgroup>("cgroup",
                                           "path within the cgroup v2 hierarchy; null if unknown"),
  };
}

}  // namespace bpftrap
