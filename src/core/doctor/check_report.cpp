// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/check_report.h"

#include "core/output/table_writer.h"
#include "core/record/field_builders.h"

namespace bpftrap {

namespace {

std::string_view name_of(CheckState state) {
  switch (state) {
    case CheckState::ok:
      return "ok";
    case CheckState::degraded:
      return "degraded";
    case CheckState::missing:
      break;
  }
  return "missing";
}

Style style_of(CheckState state) {
  switch (state) {
    case CheckState::ok:
      return Style::success;
    case CheckState::degraded:
      return Style::warning;
    case CheckState::missing:
      break;
  }
  return Style::failure;
}

std::string_view state_name(const Check& check) {
  return name_of(check.state);
}

std::optional<std::string_view> fix(const Check& check) {
  return check.fix.empty() ? std::nullopt : std::optional<std::string_view>(check.fix);
}

}  // namespace

FieldTable fields_of(const Check*) {
  static constexpr auto table = field_table<Check>(
      event_field<Check>("check"), field<&Check::name>("name", "the subject of the check"),
      field<&state_name>(
          "state", "ok, degraded (exec and exit work with limits) or missing (they do not work)"),
      field<&Check::meaning>("meaning", "the finding and its consequence, in words"),
      field<&fix>("fix",
                  "how to fix it, in words or as a command; null if there is nothing to fix"));
  return table;
}

void append_report(std::string& out, std::span<const Check> checks, bool color) {
  MeasuredTable table({{.width = name_of(CheckState::degraded).size()}, {}, {}});
  for (const Check& check : checks) {
    table.cell(std::string(name_of(check.state)), style_of(check.state));
    table.cell(std::string(check.name));
    table.cell(terminal_safe(check.meaning));
    if (!check.fix.empty()) {
      table.cell("");
      table.cell("");
      table.cell("-> " + terminal_safe(check.fix));
    }
  }
  table.write(out, {.color = color, .gap = 2});
  out += '\n';
  append_styled(out, verdict(checks), will_work(checks) ? Style::success : Style::failure, color);
  out += '\n';
}

}  // namespace bpftrap
