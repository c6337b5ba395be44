// SPDX-License-Identifier: GPL-2.0-only
#include "core/record/value.h"

#include <chrono>

#include "core/text/text.h"

namespace bpftrap {

namespace {

void append_integer(std::string& out, std::uint64_t value, Unit unit) {
  switch (unit) {
    case Unit::none:
      append_number(out, value);
      return;
    case Unit::nanoseconds:
      append_human_duration(out, std::chrono::nanoseconds(static_cast<std::int64_t>(value)));
      return;
    case Unit::bytes:
      append_human_size(out, value);
      return;
  }
}

void append_signed(std::string& out, std::int64_t value, Unit unit) {
  auto magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    out += '-';
    magnitude = 0 - magnitude;
  }
  append_integer(out, magnitude, unit);
}

}  // namespace

std::array<char, 16> Hex::digits() const {
  std::array<char, 16> text{};
  unsigned shift = 64;
  for (char& digit : text) {
    shift -= 4;
    digit = "0123456789abcdef"[bits >> shift & 0xFU];
  }
  return text;
}

void append_value(std::string& out, const Value& value, Unit unit) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_terminal_safe(out, *text);
  } else if (const auto* owned = std::get_if<std::string>(&value)) {
    append_terminal_safe(out, *owned);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    append_integer(out, *number, unit);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    append_signed(out, *integer, unit);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "yes" : "no";
  } else if (const auto* id = std::get_if<ProcessId>(&value)) {
    append_number(out, id->pid);
    out += '-';
    append_number(out, id->start_ns);
  } else if (const auto* args = std::get_if<Arguments>(&value)) {
    append_command_line(out, args->bytes, args->truncated);
  } else if (const auto* hex = std::get_if<Hex>(&value)) {
    std::array<char, 16> digits = hex->digits();
    out.append(digits.data(), digits.size());
  } else if (const auto* time = std::get_if<WallTime>(&value)) {
    TimestampFormatter().append_rfc3339(out, *time);  // tables print times in cells of their own
  } else {
    out += '-';
  }
}

}  // namespace bpftrap
