// SPDX-License-Identifier: GPL-2.0-only
// Options of the table: columns, row width, time zone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/field.h"

// Declared here instead of included: see cli/command.h.
namespace CLI {
class App;
}

namespace bpftrap {

struct TableOptions {
  std::vector<std::string> columns;  // by header or JSON key; empty: the command's default
  bool added_columns = false;        // `columns` are added to the default
  bool wide = false;                 // rows are whole on a terminal, too
  bool utc = false;                  // times in UTC instead of the local time zone
};

// A default column, and the width of a terminal from which on it is shown.
struct ColumnChoice {
  std::string_view name;
  std::size_t from = 0;
};

// Returns the default columns for a terminal of this width. 0: all.
std::vector<std::string_view> fitting_columns(const std::vector<ColumnChoice>& choices,
                                              std::size_t terminal_columns);

// Thrown by an option whose value asks for a text, such as `--columns help`.
struct RequestedText {
  std::string text;
};

// Adds the options. `kinds` are the record kinds that become rows.
void add_table_options(CLI::App& app, TableOptions& options, std::vector<FieldTable> kinds);

// Returns the columns to print: `defaults`, as --columns changes them. Added columns stand before
// the last one, which may be long. The result has views into `options`.
std::vector<std::string_view> chosen_columns(const TableOptions& options,
                                             std::vector<std::string_view> defaults);

}  // namespace bpftrap
