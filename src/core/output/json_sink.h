// SPDX-License-Identifier: GPL-2.0-only
// Writes records as lines of JSON. Each line has every key of its record kind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/output/json_line.h"
#include "core/output/sink.h"

namespace bpftrap {

class JsonSink final : public Sink {
 public:
  explicit JsonSink(const SinkSetup& setup)
      : out_(setup.out), with_host_(setup.with_host), context_{setup.clock, users_, timestamps_} {}

  void write(const RecordView& record) override;

 private:
  // A field whose value differs between records. `before` is the constant text ahead of the value:
  // constant fields and the field's key. It is padded for JsonLine::raw_padded().
  struct Part {
    std::string before;
    std::size_t size;  // without the padding
    const Field* field;
  };
  struct Layout {
    const Field* kind;
    std::vector<Part> parts;
    std::string end;
  };

  // The result is valid until the next call.
  const Layout& layout_of(FieldTable fields);
  void put(const Value& value);

  // Takes `host` and `boot_id` for the records that follow.
  void begin_run(const StartRecord& start);

  std::string& out_;
  bool with_host_;
  std::string host_;  // keys and values at the end of each line
  JsonLine line_;
  Users users_{""};  // unused: JSON has user ids instead of names
  TimestampFormatter timestamps_;
  FieldContext context_;
  std::vector<Layout> layouts_;
  std::string scratch_;
};

}  // namespace bpftrap
