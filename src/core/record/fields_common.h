// SPDX-License-Identifier: GPL-2.0-only
// Fields that several record kinds share. Included by the files that define the tables of fields.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/record/field.h"

namespace bpftrap::detail {

using Context = const FieldContext&;

inline Value optional_value(const std::optional<std::string_view>& text) {
  return text ? Value(*text) : Value();
}

template <class Record>
constexpr Field<Record> event_field(Value (*value)(const Record&, Context),
                                    void (*cell)(const Record&, Context, std::string&)) {
  return {.key = "event",
          .header = cell != nullptr ? "EVENT" : "",
          .width = 5,
          .doc = "kind of the record",
          .value = value,
          .cell = cell,
          .style = [](const Record&) { return Style::event; }};
}

template <class Record>
constexpr Field<Record> ts_field() {
  return {.key = "ts",
          .header = "TIME",
          .width = 12,
          .doc = "wall-clock time of the event, RFC 3339, UTC, nanoseconds",
          .value = [](const Record& r, Context c) { return Value(c.clock.to_wall(r.time)); },
          .cell =
              [](const Record& r, Context c, std::string& out) {
                c.timestamps.append_local_time(out, c.clock.to_wall(r.time));
              }};
}

template <class Record>
constexpr Field<Record> boot_ns_field() {
  return {.key = "boot_ns",
          .type = JsonType::integer,
          .doc = "the same instant in nanoseconds of CLOCK_BOOTTIME",
          .value = [](const Record& r, Context) {
            return Value(static_cast<std::uint64_t>(r.time.time_since_epoch().count()));
          }};
}

template <class Record>
constexpr std::array<Field<Record>, 9> process_fields() {
  return {{
      {.key = "id",
       .doc = "PID-START, START in nanoseconds of CLOCK_BOOTTIME: unique within one boot",
       .value = [](const Record& r, Context) { return Value(r.process.id); }},
      {.key = "parent_id",
       .nullable = true,
       .doc = "id of the real parent; null for a process without one",
       .value =
           [](const Record& r, Context) {
             return r.process.parent.pid != 0 ? Value(r.process.parent) : Value();
           }},
      {.key = "pid",
       .header = "PID",
       .width = 7,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "process id (thread-group id) in the initial pid namespace",
       .value = [](const Record& r, Context) { return Value(std::uint64_t{r.process.id.pid}); }},
      {.key = "ppid",
       .header = "PPID",
       .width = 7,
       .align = Align::right,
       .type = JsonType::integer,
       .doc = "process id of the real parent",
       .value = [](const Record& r,
                   Context) { return Value(std::uint64_t{r.process.parent.pid}); }},
      {.key = "parent_comm",
       .doc = "name of the real parent, up to 15 bytes",
       .value = [](const Record& r, Context) { return Value(r.process.parent_comm); }},
      {.key = "uid",
       .header = "USER",
       .width = 8,
       .type = JsonType::integer,
       .doc = "real user id",
       .value = [](const Record& r, Context) { return Value(std::uint64_t{r.process.uid}); },
       .cell = [](const Record& r, Context c,
                  std::string& out) { append_terminal_safe(out, c.users.name(r.process.uid)); }},
      {.key = "gid",
       .type = JsonType::integer,
       .doc = "real group id",
       .value = [](const Record& r, Context) { return Value(std::uint64_t{r.process.gid}); }},
      {.key = "comm",
       .header = "COMM",
       .width = 15,
       .doc = "name of the process (of its thread-group leader), up to 15 bytes",
       .value = [](const Record& r, Context) { return Value(r.process.comm); }},
      {.key = "cgroup",
       .nullable = true,
       .doc = "path within the cgroup v2 hierarchy; null where it cannot be known",
       .value = [](const Record& r, Context) { return optional_value(r.process.cgroup); }},
  }};
}

inline Value args_value(const std::optional<Arguments>& args) {
  return args ? Value(*args) : Value();
}

// A command line to paste into a shell; what stands for it where it is not known is no shell word.
inline void append_command(std::string& out, const std::optional<Arguments>& args,
                           std::string_view otherwise) {
  if (args) {
    append_command_line(out, args->bytes, args->truncated);
  } else {
    out += otherwise;
  }
}

// Concatenates arrays of fields.
template <class Record, std::size_t... N>
std::vector<Field<Record>> join(const std::array<Field<Record>, N>&... parts) {
  std::vector<Field<Record>> all;
  (all.insert(all.end(), parts.begin(), parts.end()), ...);
  return all;
}

}  // namespace bpftrap::detail
