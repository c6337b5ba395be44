// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/diff/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/analysis/command_label.h"
#include "core/output/table_writer.h"
#include "core/record/field_builders.h"

namespace bpftrap {

namespace {

using Kind = DiffRecord::Kind;

std::string_view event_name(const DiffRecord& record) {
  switch (record.kind) {
    case Kind::only_a:
      return "only_a";
    case Kind::only_b:
      return "only_b";
    case Kind::count:
      return "count";
    case Kind::status:
      return "status";
    case Kind::time:
      break;
  }
  return "time";
}

std::string_view row_name(const DiffRecord& record) {
  switch (record.kind) {
    case Kind::only_a:
      return "only in A";
    case Kind::only_b:
      return "only in B";
    case Kind::count:
      return "count";
    case Kind::status:
      return "status";
    case Kind::time:
      break;
  }
  return *record.b_time > *record.a_time ? "slower" : "faster";
}

Style style_of(const DiffRecord& record) {
  switch (record.kind) {
    case Kind::only_a:
      return Style::failure;
    case Kind::only_b:
      return Style::success;
    case Kind::count:
    case Kind::status:
    case Kind::time:
      break;
  }
  return Style::warning;
}

std::string human(const std::optional<std::chrono::nanoseconds>& duration) {
  std::string text;
  if (duration) {
    append_human_duration(text, *duration);
  }
  return text;
}

// The value of one side.
std::string cell(const DiffRecord& record, std::uint64_t count,
                 const std::optional<std::string>& status,
                 const std::optional<std::chrono::nanoseconds>& time) {
  switch (record.kind) {
    case Kind::status:
      return status.value_or("-");
    case Kind::time:
      return human(time);
    case Kind::only_a:
    case Kind::only_b:
    case Kind::count:
      break;
  }
  return count > 0 ? std::to_string(count) : "-";
}

std::string command(const DiffRecord& record, const CommandLabels& labels, std::size_t columns) {
  std::string text;
  if (!record.args) {
    append_terminal_safe(text, record.title);
  } else if (columns > 0) {
    text = labels.label(record.args->bytes, columns);
  } else {
    append_command_line(text, record.args->bytes, record.args->truncated);
  }
  if (record.alike > 1) {
    text += fmt::format("  (and {} like it)", record.alike - 1);
  }
  return text;
}

// The columns that are left for commands.
std::size_t command_columns(const std::vector<DiffRecord>& records, std::size_t columns) {
  constexpr std::size_t others = 10 + 7 + 7 + 4 * 2;
  constexpr std::size_t least = 30;
  std::size_t started_by = 0;
  for (const DiffRecord& record : records) {
    started_by = std::max(started_by, display_width(record.started_by));
  }
  std::size_t used = others + started_by;
  return columns == 0 ? 0 : std::max(columns > used ? columns - used : 0, least);
}

}  // namespace

FieldTable fields_of(const DiffRecord*) {
  using R = DiffRecord;
  static constexpr auto table = field_table<R>(
      field<&event_name>("event", "kind of the difference"),
      field<&R::args>("args", "argv of an example, in B unless only A ran it; null if unknown"),
      field<&R::a_count>("a_count", "number of times that A ran it"),
      field<&R::b_count>("b_count", "number of times that B ran it"),
      field<&R::a_status>("a_status",
                          "exit code, or the signal that ended it, in A: of several the one that B "
                          "has less often; null if unknown"),
      field<&R::b_status>("b_status", "the same in B; null if unknown"),
      field<&R::a_time>("a_ns",
                        "nanoseconds from its start, or the exec before, to its end, or the next "
                        "exec, in A: the median; null if unknown"),
      field<&R::b_time>("b_ns", "the same in B; null if unknown"));
  return table;
}

std::string diff_report(const std::vector<DiffRecord>& records, const DiffLook& look) {
  std::string out;
  if (records.empty()) {
    return out;
  }
  CommandLabels labels;
  for (const DiffRecord& record : records) {
    if (record.args) {
      labels.add(record.args->bytes);
    }
  }
  std::size_t columns = command_columns(records, look.columns);
  MeasuredTable table({{"DIFFERENCE", 10},
                       {"A", 7, Align::right},
                       {"B", 7, Align::right},
                       {"STARTED BY"},
                       {"COMMAND"}});
  for (const DiffRecord& record : records) {
    table.cell(std::string(row_name(record)), style_of(record));
    table.cell(cell(record, record.a_count, record.a_status, record.a_time));
    table.cell(cell(record, record.b_count, record.b_status, record.b_time));
    std::string started_by = terminal_safe(record.started_by);
    table.cell(started_by.empty() ? "-" : started_by);
    table.cell(command(record, labels, columns));
  }
  table.write(out, {.color = look.color, .gap = 2, .limit = look.columns});
  return out;
}

}  // namespace bpftrap
