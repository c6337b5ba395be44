// SPDX-License-Identifier: GPL-2.0-only
// Writes records as rows of a readable table: header first, columns aligned, no control characters.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/output/sink.h"
#include "core/output/table_columns.h"
#include "core/output/table_writer.h"

namespace bpftrap {

class TableSink final : public Sink {
 public:
  // Records of setup.kinds become rows; the last one of setup.columns is not padded. Throws Error
  // if no kind has one of the columns.
  explicit TableSink(const SinkSetup& setup);

  // A `start` record writes the header. A `lost` record is reported on standard error.
  void write(const RecordView& record) override;

 private:
  // The columns in the rows of one kind.
  struct Row {
    const Field* kind;
    std::vector<ColumnField> cells;
  };

  void write_row(const RecordView& record, const Row& row);

  bool header_;
  std::function<std::size_t()> row_width_;
  Users own_users_;
  TimestampFormatter timestamps_;
  FieldContext context_;
  std::vector<Row> rows_;
  TableWriter writer_;
};

}  // namespace bpftrap
