// SPDX-License-Identifier: GPL-2.0-only
// Lays out cells in aligned columns, optionally with colours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/style.h"
#include "core/text/text.h"

namespace bpftrap {

struct Column {
  std::string_view header = {};
  std::size_t width = 0;  // minimum; wider text is kept whole
  Align align = Align::left;
  bool cut = false;  // wider text is cut if rows are limited
};

struct TableLook {
  bool color = false;
  std::size_t gap = 1;    // spaces between columns
  bool ragged = true;     // the last column is not padded
  std::size_t limit = 0;  // columns at which rows of a MeasuredTable are cut; 0: rows are whole
};

// Appends rows one by one. Write the cells of a row in column order; the last one ends the row.
class TableWriter {
 public:
  // `out` must outlive the writer.
  TableWriter(std::string& out, std::vector<Column> columns, TableLook look)
      : out_(out), columns_(std::move(columns)), look_(look) {}

  // Cuts rows from here on at this many columns, with `…` in the last one. 0: rows are whole.
  void limit_rows(std::size_t columns) { limit_ = columns; }

  void header();
  void cell(std::string_view text, Style style = Style::plain);

  // Writes a cell whose text the caller appends to the returned string before end_cell().
  std::string& begin_cell(Style style = Style::plain);
  void end_cell();

 private:
  void end_row();

  std::string& out_;
  std::vector<Column> columns_;
  TableLook look_;
  std::size_t limit_ = 0;
  std::size_t row_start_ = 0;   // offset of the row in `out`
  std::size_t at_ = 0;          // column of the next cell
  std::size_t cell_start_ = 0;  // offset of the cell in `out`
  std::size_t text_start_ = 0;  // offset of its text, after the colour escape
};

// Collects all cells before it writes any, so each column is as wide as its widest cell, or header.
class MeasuredTable {
 public:
  explicit MeasuredTable(std::vector<Column> columns);

  void cell(std::string text, Style style = Style::plain);
  // Appends the rows, after a header unless all headers are empty.
  void write(std::string& out, TableLook look) const;

 private:
  struct Cell {
    std::string text;
    Style style;
  };

  std::vector<Column> columns_;
  std::vector<Cell> cells_;
};

}  // namespace bpftrap
