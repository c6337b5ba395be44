// SPDX-License-Identifier: GPL-2.0-only
// Columns of the table: each is named by its header, which prints for people, or by a JSON key,
// which prints the raw value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/output/table_writer.h"
#include "core/record/field.h"

namespace bpftrap {

// The field that a column shows in the rows of one record kind.
struct ColumnField {
  const Field* field = nullptr;  // null: the kind has no such field, and the cell is `-`
  bool raw = false;              // named by its JSON key

  void append_cell(const RecordView& record, const FieldContext& context, std::string& out) const;
};

ColumnField find_column(FieldTable fields, std::string_view name);

// Name, minimum width and alignment of a column. The first kind that has it decides. `roomy`: the
// width that most cells need, instead of one that leaves room on 80 columns. Returns an empty
// header if no kind has it.
Column shape_column(std::string_view name, const std::vector<FieldTable>& kinds,
                    bool roomy = false);

// The names of all columns: headers, then JSON keys, each once.
std::vector<std::string> column_names(const std::vector<FieldTable>& kinds);

// The columns with their meaning, one per line, for `--columns help`.
std::string describe_columns(const std::vector<FieldTable>& kinds);

}  // namespace bpftrap
