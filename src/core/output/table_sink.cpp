// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_sink.h"

#include <fmt/format.h>

#include "core/os/error.h"

namespace bpftrap {

namespace {

std::vector<Column> shape_columns(const std::vector<std::string_view>& names,
                                  const std::vector<FieldTable>& kinds, bool roomy) {
  std::vector<Column> columns;
  for (std::string_view name : names) {
    columns.push_back(shape_column(name, kinds, roomy));
    if (columns.back().header.empty()) {
      throw Error(fmt::format("unknown column '{}'", name), 0,
                  fmt::format("columns: {}", fmt::join(column_names(kinds), ", ")));
    }
  }
  return columns;
}

}  // namespace

TableSink::TableSink(const SinkSetup& setup)
    : header_(setup.header),
      row_width_(setup.row_width),
      timestamps_(setup.utc ? TimestampFormatter::Zone::utc : TimestampFormatter::Zone::local),
      context_{setup.clock, users_, timestamps_},
      writer_(setup.out, shape_columns(setup.columns, setup.kinds, setup.roomy),
              {.color = setup.color}) {
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
