// SPDX-License-Identifier: GPL-2.0-only
#include "core/doctor/check_report.h"

#include <algorithm>
#include <array>

#include "core/record/fields_common.h"
#include "core/text/text.h"

namespace bpftrap {

namespace {

constexpr std::size_t state_width = sizeof "degraded" + 1;

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

std::string_view escape_of(CheckState state) {
  switch (state) {
    case CheckState::ok:
      return "\x1b[32m";
    case CheckState::degraded:
      return "\x1b[33m";
    case CheckState::missing:
      break;
  }
  return "\x1b[31m";
}

void append_colored(std::string& out, std::string_view text, CheckState state, bool color) {
  if (color) {
    out += escape_of(state);
  }
  out += text;
  if (color) {
    out += "\x1b[0m";
  }
}

}  // namespace

std::span<const Field<Check>> fields_of(const Check*) {
  using detail::Context;
  static const std::array<Field<Check>, 5> table{{
      detail::event_field<Check>(
          [](const Check&, Context) { return Value(std::string_view("check")); }, nullptr),
      {.key = "name",
       .doc = "what was checked",
       .value = [](const Check& check, Context) { return Value(check.name); }},
      {.key = "state",
       .doc = "ok, degraded (exec and exit work, with less) or missing (they do not)",
       .value = [](const Check& check, Context) { return Value(name_of(check.state)); }},
      {.key = "meaning",
       .doc = "what was found and what follows from it, in words",
       .value = [](const Check& check, Context) { return Value(std::string_view(check.meaning)); }},
      {.key = "mend",
       .nullable = true,
       .doc = "what to do about it, in words or as a command; null where there is nothing",
       .value =
           [](const Check& check, Context) {
             return check.mend.empty() ? Value() : Value(std::string_view(check.mend));
           }},
  }};
  return table;
}

void append_report(std::string& out, std::span<const Check> checks, bool color) {
  std::size_t name_width = 0;
  for (const Check& check : checks) {
    name_width = std::max(name_width, check.name.size() + 2);
  }
  for (const Check& check : checks) {
    append_colored(out, name_of(check.state), check.state, color);
    out.append(state_width - name_of(check.state).size(), ' ');
    append_padded(out, check.name, name_width, Align::left);
    append_terminal_safe(out, check.meaning);
    out += '\n';
    if (!check.mend.empty()) {
      out.append(state_width + name_width, ' ');
      out += "-> ";
      append_terminal_safe(out, check.mend);
      out += '\n';
    }
  }
  out += '\n';
  append_colored(out, verdict(checks), will_work(checks) ? CheckState::ok : CheckState::missing,
                 color);
  out += '\n';
}

}  // namespace bpftrap
