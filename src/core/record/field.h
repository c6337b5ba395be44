// SPDX-License-Identifier: GPL-2.0-only
// One table of fields per record kind. It is all there is to know of a record's shape: the table's
// columns, the JSON keys and docs/records.schema.json (a test compares) come from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/os/clock.h"
#include "core/os/users.h"
#include "core/record/record.h"
#include "core/text/text.h"

namespace bpftrap {

// Version of the JSON stream: raised when a key is changed or removed, not when one is added.
inline constexpr std::uint64_t stream_version = 1;

// First line: tracing is live.
struct StartRecord {
  BootTime time;
  std::string host;
  std::string boot_id;
  std::string kernel;
  std::string command;
};

// Records could not be delivered since the last such line.
struct LostRecord {
  BootTime time;
  std::uint64_t count = 0;
};

// Last line.
struct StopRecord {
  BootTime time;
  std::uint64_t records = 0;
  std::uint64_t lost = 0;
};

// What a getter may need besides the record.
struct FieldContext {
  const WallClock& clock;
  Users& users;
  TimestampFormatter& timestamps;
};

// std::monostate is null. Strings may hold any bytes; sinks make them harmless.
using Value = std::variant<std::monostate, bool, std::uint64_t, WallTime, ProcessId,
                           std::string_view, std::string, Arguments>;

enum class JsonType { string, integer, boolean, strings };

// How a cell stands out where colour is wanted.
enum class Style { plain, event, success, failure };

template <class Record>
struct Field {
  std::string_view key = {};     // in JSON; empty: in the table only
  std::string_view header = {};  // of the column; empty: in JSON only
  std::size_t width = 0;         // of the column, at least; 0 for the last one
  Align align = Align::left;
  JsonType type = JsonType::string;
  bool nullable = false;
  std::string_view doc = {};  // with the unit, as docs/records.schema.json says it
  Value (*value)(const Record&, const FieldContext&) = nullptr;
  // Appends the cell's text, harmless for a terminal.
  void (*cell)(const Record&, const FieldContext&, std::string& out) = nullptr;
  Style (*style)(const Record&) = nullptr;
};

// In the order of the JSON keys. Static storage. A command with a record kind of its own declares
// and defines one more fields_of() in its own file.
std::span<const Field<StartRecord>> fields_of(const StartRecord*);
std::span<const Field<ExecRecord>> fields_of(const ExecRecord*);
std::span<const Field<ExitRecord>> fields_of(const ExitRecord*);
std::span<const Field<LostRecord>> fields_of(const LostRecord*);
std::span<const Field<StopRecord>> fields_of(const StopRecord*);

// Shorthand: fields<ExecRecord>().
template <class Record>
std::span<const Field<Record>> fields() {
  return fields_of(static_cast<const Record*>(nullptr));
}

// A wait status in the words of a person: `0`, `SIGSEGV (core dumped)`, `SIGKILL by oom-killer`,
// `SIGTERM from systemd[1]`. Safe for a terminal.
void append_status(std::string& out, const ExitRecord& record);

}  // namespace bpftrap
