// SPDX-License-Identifier: GPL-2.0-only
// Writes records as rows of a readable table: header first, columns aligned, no control characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/output/sink.h"
#include "core/output/table_writer.h"

namespace bpftrap {

// Returns the field of a column, or null if the kind has none.
const Field* find_column(FieldTable fields, std::string_view header);

class TableSink final : public Sink {
 public:
  // Records of setup.kinds become rows; the last one of setup.columns is not padded. Throws Error
  // if no kind has one of the columns.
  explicit TableSink(const SinkSetup& setup);

  // A `start` record writes the header. A `lost` record is reported on standard error.
  void write(const RecordView& record) override;

 private:
  // The field for each column of a kind's rows. A null one prints `-`.
  struct Row {
    const Field* kind;
    std::vector<const Field*> cells;
  };

  void write_row(const RecordView& record, const Row& row);

  bool header_;
  Users users_;
  TimestampFormatter timestamps_;
  FieldContext context_;
  std::vector<Row> rows_;
  TableWriter writer_;
};

}  // namespace bpftrap
