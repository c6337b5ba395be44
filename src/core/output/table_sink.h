// SPDX-License-Identifier: GPL-2.0-only
// Records as rows of a table for people: header first, columns aligned, nothing in them that a
// terminal would obey.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record/field.h"

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
    const Columns& columns = columns_of<Record>();
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const auto* field = static_cast<const Field<Record>*>(columns.fields[i]);
      if (field != nullptr && shapes[i].width == 0) {
        shapes[i] = {field->width, field->align};
      }
    }
  }

  template <class Record>
  void write(const Record& record) {
    std::string& out = state_->out;
    const Columns& columns = columns_of<Record>();
    for (std::size_t i = 0; i < columns.fields.size(); ++i) {
      const auto* field = static_cast<const Field<Record>*>(columns.fields[i]);
      if (field == nullptr) {
        put_cell(i, "-");
        continue;
      }
      const Cell cell = begin_cell(field->style != nullptr ? field->style(record) : Style::plain);
      if (field->cell != nullptr) {
        field->cell(record, state_->context, out);
      } else {
        append_value(out, field->value(record, state_->context));
      }
      end_cell(i, cell);
    }
    out += '\n';
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

  // Which field of a kind, known by its table, fills which column; null where none does.
  struct Columns {
    const void* kind = nullptr;
    std::vector<const void*> fields;
  };

  // Where the text of a cell begins, which is put into the row itself, and whether it is coloured.
  struct Cell {
    std::size_t start = 0;
    bool colored = false;
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
    std::vector<Columns> columns;
  };

  // Valid until it is asked for another kind.
  template <class Record>
  const Columns& columns_of() {
    auto all = fields<Record>();
    for (const Columns& known : state_->columns) {
      if (known.kind == all.data()) {
        return known;
      }
    }
    Columns columns{all.data(), {}};
    for (std::string_view header : state_->style.columns) {
      auto found = std::find_if(all.begin(), all.end(),
                                [&](const Field<Record>& field) { return field.header == header; });
      columns.fields.push_back(found != all.end() ? &*found : nullptr);
    }
    return state_->columns.emplace_back(std::move(columns));
  }

  static void append_value(std::string& out, const Value& value);
  Cell begin_cell(Style style);
  void end_cell(std::size_t column, Cell cell);
  void put_cell(std::size_t column, std::string_view text);

  std::unique_ptr<State> state_;
};

}  // namespace bpftrap
