// SPDX-License-Identifier: GPL-2.0-only
// One table of fields per record kind defines columns, JSON keys and docs/records.schema.json,
// which a test compares. core/record/field_builders.h makes the fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/os/clock.h"
#include "core/os/users.h"
#include "core/record/record.h"
#include "core/record/value.h"
#include "core/text/style.h"
#include "core/text/text.h"

namespace bpftrap {

// Version of the JSON stream. Raise it when a key changes or goes away; a new key needs no change.
inline constexpr std::uint64_t stream_version = 1;

class RecordView;

// Data that a field may need besides the record.
struct FieldContext {
  const WallClock& clock;
  Users& users;
  TimestampFormatter& timestamps;
};

// One field of any record kind.
struct Field {
  std::string_view key = {};     // JSON key; empty: only in the table
  std::string_view header = {};  // column header; empty: only in JSON
  std::size_t width = 0;         // minimum column width
  std::size_t roomy_width = 0;   // the same where rows need not fit 80 columns; 0: no other
  Align align = Align::left;
  bool cut = false;  // cells end at the width of the column on a terminal
  JsonType type = JsonType::string;
  bool nullable = false;
  Unit unit = Unit::none;
  std::string_view doc = {};       // description with the unit, as in docs/records.schema.json
  std::string_view cell_doc = {};  // description of the cell where it differs
  std::string_view constant = {};  // value if all records of the kind share it; printable ASCII
  Value (*get)(const RecordView&, const FieldContext&) = nullptr;
  // Appends the cell's text, which must be safe for a terminal. Null: the value is printed.
  void (*print)(const RecordView&, const FieldContext&, std::string& out) = nullptr;
  Style (*pick_style)(const RecordView&) = nullptr;  // null: plain

  Value value(const RecordView& record, const FieldContext& context) const {
    return get != nullptr ? get(record, context) : Value(constant);
  }
  Style style(const RecordView& record) const {
    return pick_style != nullptr ? pick_style(record) : Style::plain;
  }
  void append_cell(const RecordView& record, const FieldContext& context, std::string& out) const {
    if (print != nullptr) {
      print(record, context, out);
    } else if (get == nullptr) {
      out += constant;
    } else {
      append_value(out, value(record, context), unit);
    }
  }
};

// Fields of a record kind, in the order of the JSON keys. Tables have static storage, and their
// address identifies the kind.
using FieldTable = std::span<const Field>;

// A command with its own record kind overloads fields_of() in its own file.
FieldTable fields_of(const StartRecord*);
FieldTable fields_of(const ForkRecord*);
FieldTable fields_of(const ExecRecord*);
FieldTable fields_of(const ExitRecord*);
FieldTable fields_of(const FinalRecord*);
FieldTable fields_of(const LostRecord*);
FieldTable fields_of(const StopRecord*);

// Allows fields<ExecRecord>().
template <class Record>
FieldTable fields() {
  return fields_of(static_cast<const Record*>(nullptr));
}

// A reference to a record of any kind, with its table of fields.
class RecordView {
 public:
  // Implicit, so that a sink is given records as they are.
  template <class Record>
  RecordView(const Record& record)  // NOLINT(google-explicit-constructor)
      : fields_(bpftrap::fields<Record>()), record_(&record) {}

  FieldTable fields() const { return fields_; }

  // Returns the record if it is of this kind, else null.
  template <class Record>
  const Record* get_if() const {
    return fields_.data() == bpftrap::fields<Record>().data() ? &as<Record>() : nullptr;
  }

  // Returns the record, which must be of this kind.
  template <class Record>
  const Record& as() const {
    return *static_cast<const Record*>(record_);
  }

 private:
  FieldTable fields_;
  const void* record_;
};

// Appends a readable wait status, safe for a terminal: `0`, `SIGSEGV (core dumped)`, `SIGKILL by
// oom-killer`, `SIGTERM from systemd[1]`.
void append_status(std::string& out, const ExitRecord& record);
// The same without the sender of a signal. `wait_status`: as wait4() reports it.
std::string status_text(int wait_status, bool oom_killed = false);

}  // namespace bpftrap
