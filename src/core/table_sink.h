// SPDX-License-Identifier: GPL-2.0-only
// Records as rows of a table for people: header first, columns aligned, nothing in them that a
// terminal would obey.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/field.h"

namespace bpftrap {

struct TableStyle {
  std::vector<std::string_view> columns;  // headers of fields; the last one is not padded
  bool header = true;
  bool color = false;
};

class TableSink {
 public:
  // Rows are appended to `out`; both references must outlive the sink.
  TableSink(std::string& out, const WallClock& clock, TableStyle style)
      : state_(std::make_unique<State>(out, clock, std::move(style))) {}

  // Which columns the rows of this kind fill: the header is laid out after the first kind that has
  // a column. To be called for each kind before the first row.
  template <class Record>
  void expect() {
    std::vector<Shape>& shapes = state_->shapes;
    for (std::size_t i = 0; i < state_->style.columns.size(); ++i) {
      const Field<Record>* field = find<Record>(state_->style.columns[i]);
      if (field != nullptr && shapes[i].width == 0) {
        shapes[i] = {field->width, field->align};
      }
    }
  }

  template <class Record>
  void write(const Record& record) {
    for (std::size_t i = 0; i < state_->style.columns.size(); ++i) {
      const Field<Record>* field = find<Record>(state_->style.columns[i]);
      std::string& cell = state_->cell;
      cell.clear();
      if (field == nullptr) {
        put_cell(i, "-", Style::plain);
        continue;
      }
      if (field->cell != nullptr) {
        field->cell(record, state_->context, cell);
      } else {
        append_value(cell, field->value(record, state_->context));
      }
      put_cell(i, cell, field->style != nullptr ? field->style(record) : Style::plain);
    }
    state_->out += '\n';
  }

  // The header. What is lost is no row: it is said on standard error.
  void write(const StartRecord& record);
  void write(const LostRecord& record);
  void write(const StopRecord& record);

 private:
  struct Shape {
    std::size_t width = 0;
    Align align = Align::left;
  };

  // On the heap, for its members refer to each other and a sink may be moved.
  struct State {
    State(std::string& to, const WallClock& clock, TableStyle looks)
        : out(to),
          style(std::move(looks)),
          shapes(style.columns.size()),
          context{clock, users, timestamps} {}

    std::string& out;
    TableStyle style;
    std::vector<Shape> shapes;
    Users users;
    TimestampFormatter timestamps;
    FieldContext context;
    std::string cell;
  };

  template <class Record>
  static const Field<Record>* find(std::string_view header) {
    auto all = fields<Record>();
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Field<Record>& field) { return field.header == header; });
    return found != all.end() ? &*found : nullptr;
  }

  static void append_value(std::string& out, const Value& value);
  void put_cell(std::size_t column, std::string_view text, Style style);

  std::unique_ptr<State> state_;
};

}  // namespace bpftrap
