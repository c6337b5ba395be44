// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_sink.h"

#include <fmt/format.h>

#include "core/os/error.h"

namespace bpftrap {

namespace {

std::string_view escape_of(Style style) {
  switch (style) {
    case Style::event:
      return "\x1b[36m";
    case Style::success:
      return "\x1b[32m";
    case Style::failure:
      return "\x1b[31m";
    case Style::plain:
      break;
  }
  return {};
}

}  // namespace

void TableSink::write(const StartRecord&) {
  if (!state_->style.header) {
    return;
  }
  for (std::size_t i = 0; i < state_->style.columns.size(); ++i) {
    put_cell(i, state_->style.columns[i]);
  }
  state_->out += '\n';
}

void TableSink::write(const LostRecord& record) {
  say(fmt::format(
      "{} lost: a larger --buffer-size or a filter may help",
      record.count == 1 ? "1 record was" : fmt::format("{} records were", record.count)));
}

void TableSink::write(const StopRecord&) {}

TableSink::Cell TableSink::begin_cell(Style style) {
  std::string& out = state_->out;
  bool colored = state_->style.color && style != Style::plain;
  if (colored) {
    out += escape_of(style);
  }
  return {out.size(), colored};
}

void TableSink::end_cell(std::size_t column, Cell cell) {
  std::string& out = state_->out;
  bool last = column + 1 == state_->shapes.size();
  if (!last) {
    pad(out, cell.start, state_->shapes[column].width, state_->shapes[column].align);
  }
  if (cell.colored) {
    out += "\x1b[0m";
  }
  if (!last) {
    out += ' ';
  }
}

void TableSink::put_cell(std::size_t column, std::string_view text) {
  const Cell cell = begin_cell(Style::plain);
  state_->out += text;
  end_cell(column, cell);
}

void TableSink::append_value(std::string& out, const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_terminal_safe(out, *text);
  } else if (const auto* owned = std::get_if<std::string>(&value)) {
    append_terminal_safe(out, *owned);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    append_number(out, *number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "yes" : "no";
  } else if (const auto* id = std::get_if<ProcessId>(&value)) {
    append_number(out, id->pid);
    out += '-';
    append_number(out, id->start_ns);
  } else if (const auto* args = std::get_if<Arguments>(&value)) {
    append_command_line(out, args->bytes, args->truncated);
  } else {
    out += '-';  // null; times have a cell of their own
  }
}

}  // namespace bpftrap
