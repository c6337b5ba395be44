// SPDX-License-Identifier: GPL-2.0-only
// Records as lines of JSON: every key of a record kind in each of its lines.
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
      : out_(setup.out), context_{setup.clock, users_, timestamps_} {}

  void write(const RecordView& record) override;

 private:
  // A field whose value differs between records, and what stands before that value: its key, and
  // constant fields before it.
  struct Part {
    std::string before;
    const Field* field;
  };
  struct Layout {
    const Field* kind;
    std::vector<Part> parts;
    std::string end;
  };

  // Valid until the next call.
  const Layout& layout_of(FieldTable fields);
  void put(const Value& value);

  std::string& out_;
  JsonLine line_;
  Users users_{""};  // JSON has user ids, not names
  TimestampFormatter timestamps_;
  FieldContext context_;
  std::vector<Layout> layouts_;
  std::string scratch_;
};

}  // namespace bpftrap
