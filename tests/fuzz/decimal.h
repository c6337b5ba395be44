// SPDX-License-Identifier: GPL-2.0-only
// Times and sizes of a command line, computed digit by digit for any length. Numbers are strings
// without leading zeros.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

// Whole nanoseconds, minimum 1. Empty if the text is not a time, or exceeds 63 bits.
std::optional<std::string> duration_in_ns(std::string_view text, std::uint64_t bare_unit_ns);

// Bytes. Empty if the text is not a size, or exceeds 64 bits.
std::optional<std::string> size_in_bytes(std::string_view text);

// Empty if the text is not all digits, or is outside the range.
std::optional<std::string> whole_number(std::string_view text, std::string_view least,
                                        std::string_view most);

}  // namespace fuzz
