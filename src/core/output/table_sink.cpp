// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/os/error.h"

namespace bpftrap {

namespace {

[[noreturn]] void refuse(std::string_view header, const std::vector<FieldTable>& kinds) {
  std::vector<std::string_view> known;
  for (FieldTable fields : kinds) {
    for (const Field& field : fields) {
      if (!field.header.empty() &&
          std::find(known.begin(), known.end(), field.header) == known.end()) {
        known.push_back(field.header);
      }
    }
  }
  throw Error(fmt::format("unknown column '{}'", header), 0,
              fmt::format("columns: {}", fmt::join(known, ", ")));
}

// The first kind that has a column defines its width and alignment.
std::vector<Column> shape_columns(const std::vector<std::string_view>& headers,
                                  const std::vector<FieldTable>& kinds) {
  std::vector<Column> columns;
  for (std::string_view header : headers) {
    const Field* field = nullptr;
    for (auto kind = kinds.begin(); field == nullptr && kind != kinds.end(); ++kind) {
      field = find_column(*kind, header);
    }
    if (field == nullptr) {
      refuse(header, kinds);
    }
    columns.push_back({header, field->width, field->align});
  }
  return columns;
}

}  // namespace

const Field* find_column(FieldTable fields, std::string_view header) {
  auto found = std::find_if(fields.begin(), fields.end(),
                            [header](const Field& field) { return field.header == header; });
  return found != fields.end() ? &*found : nullptr;
}

TableSink::TableSink(const SinkSetup& setup)
    : header_(setup.header),
      context_{setup.clock, users_, timestamps_},
      writer_(setup.out, shape_columns(setup.columns, setup.kinds), {.color = setup.color}) {
  for (FieldTable fields : setup.kinds) {
    Row row{fields.data(), {}};
    for (std::string_view header : setup.columns) {
      row.cells.push_back(find_column(fields, header));
    }
    rows_.push_back(std::move(row));
  }
}

void TableSink::write(const RecordView& record) {
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
  for (const Field* field : row.cells) {
    if (field == nullptr) {
      writer_.cell("-");
      continue;
    }
    std::string& out = writer_.begin_cell(field->style(record));
    field->append_cell(record, context_, out);
    writer_.end_cell();
  }
}

}  // namespace bpftrap
