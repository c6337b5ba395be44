// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_writer.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace bpftrap {

namespace {

constexpr std::string_view ellipsis = "…";

// Returns the length of the escape sequence of a style at the front of `text`, else 0.
std::size_t style_length(std::string_view text) {
  return text.starts_with("\x1b[") ? text.find('m') + 1 : 0;
}

// Cuts the text that `out` has from byte `start` on, if it takes more than `columns` on a terminal.
// The text may contain escape sequences of styles (text/style.h).
void cut_styled(std::string& out, std::size_t start, std::size_t columns) {
  std::size_t taken = 0;
  std::size_t keep = start;  // end of the text that leaves room for the ellipsis
  bool styled = false;       // a style is on at `keep`
  bool style_here = false;
  for (std::size_t at = start; at < out.size();) {
    std::string_view rest = std::string_view(out).substr(at);
    if (std::size_t length = style_length(rest); length > 0) {
      style_here = !rest.starts_with(style_end);
      at += length;
      continue;
    }
    std::size_t length = std::max<std::size_t>(decode_utf8(rest).size, 1);
    taken += display_width(rest.substr(0, length));
    at += length;
    if (taken < columns) {
      keep = at;
      styled = style_here;
    }
    if (taken > columns) {
      out.resize(keep);
      out += styled ? style_end : std::string_view();
      out += ellipsis;
      return;
    }
  }
}

}  // namespace

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
  if (at_ == 0) {
    row_start_ = cell_start_;
  }
  if (look_.color) {
    out_ += style_begin(style);
  }
  text_start_ = out_.size();
  return out_;
}

void TableWriter::end_cell() {
  const Column& column = columns_[at_];
  bool last = at_ + 1 == columns_.size();
  if (column.cut && limit_ > 0) {
    cut_styled(out_, text_start_, column.width);
  }
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
    end_row();
  } else {
    out_.append(spaces + look_.gap, ' ');
    ++at_;
  }
}

void TableWriter::end_row() {
  if (limit_ > 0) {
    cut_styled(out_, row_start_, limit_);
  }
  out_ += '\n';
  at_ = 0;
}

MeasuredTable::MeasuredTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) {
    column.width = std::max(column.width, display_width(column.header));
  }
}

void MeasuredTable::cell(std::string text, Style style) {
  Column& column = columns_[cells_.size() % columns_.size()];
  column.width = std::max(column.width, display_width(text));
  cells_.push_back({std::move(text), style});
}

void MeasuredTable::write(std::string& out, TableLook look) const {
  TableWriter writer(out, columns_, look);
  writer.limit_rows(look.limit);
  auto has_header = [](const Column& column) { return !column.header.empty(); };
  if (std::any_of(columns_.begin(), columns_.end(), has_header)) {
    writer.header();
  }
  for (const Cell& cell : cells_) {
    writer.cell(cell.text, cell.style);
  }
}

}  // namespace bpftrap
