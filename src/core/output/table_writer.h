// SPDX-License-Identifier: GPL-2.0-only
// Lays out cells in aligned columns, with colours where they are wanted.
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
  std::size_t width = 0;  // at least; wider text is kept whole
  Align align = Align::left;
};

struct TableLook {
  bool color = false;
  std::size_t gap = 1;  // spaces between columns
  bool ragged = true;   // the last column is not padded
};

// Appends rows as they come. The cells of a row are written in the order of the columns; the last
// one ends the row.
class TableWriter {
 public:
  // `out` must outlive the writer.
  TableWriter(std::string& out, std::vector<Column> columns, TableLook look)
      : out_(out), columns_(std::move(columns)), look_(look) {}

  void header();
  void cell(std::string_view text, Style style = Style::plain);

  // The same for a text that is appended to the returned string between the two calls.
  std::string& begin_cell(Style style = Style::plain);
  void end_cell();

 private:
  std::string& out_;
  std::vector<Column> columns_;
  TableLook look_;
  std::size_t at_ = 0;          // the column of the next cell
  std::size_t cell_start_ = 0;  // in `out`: of the cell, and of its text after a colour's escape
  std::size_t text_start_ = 0;
};

// Keeps all cells before it writes the first, so that every column is as wide as its widest cell.
class MeasuredTable {
 public:
  explicit MeasuredTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void cell(std::string text, Style style = Style::plain);
  // Appends the header, unless all headers are empty, and the rows.
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
