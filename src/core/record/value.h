// SPDX-License-Identifier: GPL-2.0-only
// The value of a field, and its readable text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/os/clock.h"
#include "core/record/record.h"

namespace bpftrap {

// A number that is written as 16 hexadecimal digits.
struct Hex {
  std::uint64_t bits = 0;

  std::array<char, 16> digits() const;
};

// std::monostate is null. Strings may hold any bytes; sinks escape them.
using Value = std::variant<std::monostate, bool, std::uint64_t, std::int64_t, WallTime, ProcessId,
                           std::string_view, std::string, Arguments, Hex>;

enum class JsonType { string, integer, boolean, strings };

// The readable form of an integer.
enum class Unit { none, nanoseconds, bytes };

// Appends the text of a table cell, safe for a terminal; `-` for null.
void append_value(std::string& out, const Value& value, Unit unit);

}  // namespace bpftrap
