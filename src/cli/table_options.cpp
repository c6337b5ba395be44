// SPDX-License-Identifier: GPL-2.0-only
#include "cli/table_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>

#include "cli/common_options.h"
#include "cli/offered_values.h"
#include "cli/suggest.h"
#include "core/output/table_columns.h"

namespace bpftrap {

namespace {

void check_column(const std::string& name, const std::vector<FieldTable>& kinds) {
  if (!shape_column(name, kinds).header.empty()) {
    return;
  }
  std::string suggestion = did_you_mean(name, column_names(kinds));
  throw std::invalid_argument(fmt::format(
      "is not a list of columns: there is no '{}'; expected names from --columns help{}", name,
      suggestion));
}

void parse_columns(std::string_view text, TableOptions& options,
                   const std::vector<FieldTable>& kinds) {
  if (text == "help") {
    throw RequestedText{describe_columns(kinds)};
  }
  options.columns.clear();
  options.added_columns = text.starts_with('+');
  text.remove_prefix(options.added_columns ? 1 : 0);
  for (;;) {
    std::size_t comma = std::min(text.find(','), text.size());
    std::string name(text.substr(0, comma));
    check_column(name, kinds);
    options.columns.push_back(std::move(name));
    if (comma == text.size()) {
      return;
    }
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

void add_table_options(CLI::App& app, TableOptions& options, std::vector<FieldTable> kinds) {
  begin_group(app, "Output");
  std::vector<std::string> names = column_names(kinds);
  CLI::Option* columns = add_parsed_option(
      app, "--columns",
      [&options, kinds = std::move(kinds)](std::string_view text) {
        parse_columns(text, options, kinds);
      },
      "print these columns of the table, by header (readable) or JSON key (raw value), separated "
      "by commas; +LIST adds to the default; help lists them",
      "LIST");
  names.insert(names.begin(), "help");
  offer_values(columns, names);
  add_switch(app, "--wide", options.wide, "print whole rows on a terminal, not cut at its width");
  add_switch(app, "--utc", options.utc, "print times in UTC instead of the local time zone");
}

std::vector<std::string_view> fitting_columns(const std::vector<ColumnChoice>& choices,
                                              std::size_t terminal_columns) {
  std::vector<std::string_view> columns;
  for (const ColumnChoice& choice : choices) {
    if (terminal_columns == 0 || terminal_columns >= choice.from) {
      columns.push_back(choice.name);
    }
  }
  return columns;
}

std::vector<std::string_view> chosen_columns(const TableOptions& options,
                                             std::vector<std::string_view> defaults) {
  if (options.columns.empty()) {
    return defaults;
  }
  if (!options.added_columns) {
    return {options.columns.begin(), options.columns.end()};
  }
  for (std::string_view added : options.columns) {
    if (std::find(defaults.begin(), defaults.end(), added) == defaults.end()) {
      defaults.insert(defaults.end() - 1, added);
    }
  }
  return defaults;
}

}  // namespace bpftrap
