// SPDX-License-Identifier: GPL-2.0-only
// Records as lines of JSON: every key of a record kind in each of its lines.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/output/json_line.h"
#include "core/record/field.h"

namespace bpftrap {

class JsonSink {
 public:
  // Lines are appended to `out`; both references must outlive the sink.
  JsonSink(std::string& out, const WallClock& clock)
      : state_(std::make_unique<State>(out, clock)) {}

  template <class Record>
  void write(const Record& record) {
    static const std::vector<std::string> keys = keys_of<Record>();
    auto key = keys.begin();
    for (const Field<Record>& field : fields<Record>()) {
      if (!field.key.empty()) {
        put(*key++, field.value(record, state_->context));
      }
    }
    end();
  }

 private:
  // On the heap, for its members refer to each other and a sink may be moved.
  struct State {
    State(std::string& to, const WallClock& clock) : out(to), context{clock, users, timestamps} {}

    std::string& out;
    JsonLine line;
    Users users{""};  // JSON has user ids, not names
    TimestampFormatter timestamps;
    FieldContext context;
    std::string scratch;
  };

  template <class Record>
  static std::vector<std::string> keys_of() {
    std::vector<std::string_view> names;
    for (const Field<Record>& field : fields<Record>()) {
      if (!field.key.empty()) {
        names.push_back(field.key);
      }
    }
    return JsonLine::keys(names);
  }

  void put(std::string_view key, const Value& value);
  void end();

  std::unique_ptr<State> state_;
};

}  // namespace bpftrap
