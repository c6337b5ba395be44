// SPDX-License-Identifier: GPL-2.0-only
// Records as lines of JSON: every key of a record kind in each of its lines.
#pragma once

#include <rapidjson/writer.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/field.h"

namespace bpftrap {

class JsonSink {
 public:
  // Lines are appended to `out`; both references must outlive the sink.
  JsonSink(std::string& out, const WallClock& clock)
      : state_(std::make_unique<State>(out, clock)) {}

  template <class Record>
  void write(const Record& record) {
    begin();
    for (const Field<Record>& field : fields<Record>()) {
      if (!field.key.empty()) {
        put(field.key, field.value(record, state_->context));
      }
    }
    end();
  }

 private:
  // RapidJSON's output stream concept over a string.
  class Appender {
   public:
    using Ch = char;

    explicit Appender(std::string& out) : out_(out) {}
    void Put(char c) { out_ += c; }
    void Flush() {}

   private:
    std::string& out_;
  };

  // On the heap, for its members refer to each other and a sink may be moved.
  struct State {
    State(std::string& to, const WallClock& clock)
        : out(to), appender(to), writer(appender), context{clock, users, timestamps} {}

    std::string& out;
    Appender appender;
    rapidjson::Writer<Appender> writer;
    Users users{""};  // JSON has user ids, not names
    TimestampFormatter timestamps;
    FieldContext context;
    std::string scratch;
  };

  void begin();
  void put(std::string_view key, const Value& value);
  void end();

  std::unique_ptr<State> state_;
};

}  // namespace bpftrap
