// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_sink.h"

#include <fmt/format.h>

#include "core/os/error.h"

namespace bpftrap {

namespace {

std::vector<Column> shape_columns(const SinkSetup& setup) {
  constexpr std::size_t date_width = 11;  // `2026-01-31 `
  std::vector<Column> columns;
  for (std::string_view name : setup.columns) {
    columns.push_back(shape_column(name, setup.kinds, setup.roomy));
    if (columns.back().header.empty()) {
      throw Error(fmt::format("unknown column '{}'", name), 0,
                  fmt::format("columns: {}", fmt::join(column_names(setup.kinds), ", ")));
    }
    columns.back().width += setup.dates && name == "TIME" ? date_width : 0;
  }
  return columns;
}

}  // namespace

TableSink::TableSink(const SinkSetup& setup)
    : header_(setup.header),
      row_width_(setup.row_width),
      own_users_(setup.users != nullptr ? Users("") : Users()),
      timestamps_(setup.utc ? TimestampFormatter::Zone::utc : TimestampFormatter::Zone::local,
                  setup.dates),
      context_{setup.clock, setup.users != nullptr ? *setup.users : own_users_, timestamps_},
      writer_(setup.out, shape_columns(setup), {.color = setup.color}) {
  for (FieldTable fields : setup.kinds) {
    Row row{fields.data(), {}};
    for (std::string_view header : setup.columns) {
      row.cells.push_back(find_column(fields, header));
    }
    rows_.push_back(std::move(row));
  }
}

void TableSink::write(const RecordView& record) {
  writer_.limit_rows(row_width_ ? row_width_() : 0);
  for (const Row& row : rows_) {
    if (row.kind == record.fields().data()) {
      write_row(record, row);
      return;
    }
  }
  if (const auto* lost = record.get_if<LostRecord>()) {
    say_lost(*lost);
  } else if (header_ && record.get_if<StartRecord>() != nullptr) {
    writer_.header();
  }
}

void TableSink::write_row(const RecordView& record, const Row& row) {
  for (const ColumnField& cell : row.cells) {
    std::string& out =
        writer_.begin_cell(cell.field != nullptr ? cell.field->style(record) : Style::plain);
    cell.append_cell(record, context_, out);
    writer_.end_cell();
  }
}

}  // namespace bpftrap
