// SPDX-License-Identifier: GPL-2.0-only
// The end of the way: a sink turns records of any kind into the bytes of an output, by the kind's
// table of fields. Nothing else writes records.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/output/json_sink.h"
#include "core/output/table_sink.h"

namespace bpftrap {

// Appends to the string given to the sink it holds; throws for lack of memory only.
class Sink {
 public:
  explicit Sink(JsonSink&& sink) : sink_(std::in_place_type<JsonSink>, std::move(sink)) {}
  explicit Sink(TableSink&& sink) : sink_(std::in_place_type<TableSink>, std::move(sink)) {}

  bool is_json() const { return std::holds_alternative<JsonSink>(sink_); }

  template <class Record>
  void write(const Record& record) {
    std::visit([&record](auto& sink) { sink.write(record); }, sink_);
  }

 private:
  std::variant<JsonSink, TableSink> sink_;
};

}  // namespace bpftrap
