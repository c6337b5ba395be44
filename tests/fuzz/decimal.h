// SPDX-License-Identifier: GPL-2.0-only
// What times and sizes on a command line mean, reckoned on paper: digit by digit, as long as the
// number may be. Numbers are texts, without zeros in front.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

// Whole nanoseconds, from 1; none if it is not a time, or one of more than 63 bits.
std::optional<std::string> duration_in_ns(std::string_view text, std::uint64_t bare_unit_ns);

// Bytes; none where it is no size, or one of more than 64 bits.
std::optional<std::string> size_in_bytes(std::string_view text);

// None where it is anything but digits, or not between the two.
std::optional<std::string> whole_number(std::string_view text, std::string_view least,
                                        std::string_view most);

}  // namespace fuzz
