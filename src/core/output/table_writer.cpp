// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_writer.h"

#include <algorithm>

namespace bpftrap {

void TableWriter::header() {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    cell(columns_[i].header);
  }
}

void TableWriter::cell(std::string_view text, Style style) {
  begin_cell(style) += text;
  end_cell();
}

std::string& TableWriter::begin_cell(Style style) {
  cell_start_ = out_.size();
  if (look_.color) {
    out_ += style_begin(style);
  }
  text_start_ = out_.size();
  return out_;
}

void TableWriter::end_cell() {
  const Column& column = columns_[at_];
  bool last = at_ + 1 == columns_.size();
  std::size_t spaces = 0;
  if (!last || !look_.ragged) {
    std::size_t taken = display_width(std::string_view(out_).substr(text_start_));
    spaces = column.width - std::min(taken, column.width);
  }
  if (text_start_ != cell_start_) {
    out_ += style_end;
  }
  if (column.align == Align::right) {
    out_.insert(cell_start_, spaces, ' ');
    spaces = 0;
  }
  if (last) {
    out_.append(spaces, ' ');
    out_ += '\n';
    at_ = 0;
  } else {
    out_.append(spaces + look_.gap, ' ');
    ++at_;
  }
}

void MeasuredTable::cell(std::string text, Style style) {
  Column& column = columns_[cells_.size() % columns_.size()];
  column.width = std::max(column.width, display_width(text));
  cells_.push_back({std::move(text), style});
}

void MeasuredTable::write(std::string& out, TableLook look) const {
  TableWriter writer(out, columns_, look);
  auto has_header = [](const Column& column) { return !column.header.empty(); };
  if (std::any_of(columns_.begin(), columns_.end(), has_header)) {
    writer.header();
  }
  for (const Cell& cell : cells_) {
    writer.cell(cell.text, cell.style);
  }
}

}  // namespace bpftrap
