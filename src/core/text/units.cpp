// SPDX-License-Identifier: GPL-2.0-only
// Parses values of the command line (see units.h).
#include "core/text/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace bpftrap {
namespace {

using std::chrono::nanoseconds;

__extension__ using Uint128 = unsigned __int128;

constexpr std::string_view kNotATime =
    "is not a time; expected a number with ns, us, ms, s, m, h or d, or several (1h30m)";
constexpr std::string_view kTooShort = "is too short; expected 1ns or more";
constexpr std::string_view kTooLong = "is too long; expected at most 106751d";
constexpr std::string_view kNotASize =
    "is not a size; expected a number of bytes, or a number with K, M, G or T";
constexpr std::string_view kTooLarge = "is too large; expected less than 16777216T";
constexpr std::string_view kNotACount = "is not a count; expected a whole number from 1";
constexpr std::string_view kTooMany = "is too large; expected at most 19 digits";
constexpr std::string_view kNotAPidOrId =
    "is not a process; expected a pid from 1 to 4194304, or an id PID-START";
constexpr std::string_view kNotAPid = "is not a process id; expected 1 to 4194304";

constexpr std::uint32_t kPidMaxLimit = 1U << 22;

[[noreturn]] void refuse(std::string_view why) {
  throw std::invalid_argument(std::string(why));
}

/// Removes the leading digits from `text` and returns them.
std::string_view take_digits(std::string_view& text) {
  const auto end = text.find_first_not_of("0123456789");
  const auto digits = text.substr(0, end);
  text.remove_prefix(digits.size());
  return digits;
}

/// Returns the value of `digits` (digits only), or nullopt if it does not fit.
std::optional<std::uint64_t> whole_number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<nanoseconds> duration_unit(std::string_view name) {
  struct Unit {
    std::string_view name;
    nanoseconds value;
  };
  static constexpr std::array kUnits{
      Unit{"ns", nanoseconds(1)},
      Unit{"us", std::chrono::microseconds(1)},
      Unit{"ms", std::chrono::milliseconds(1)},
      Unit{"s", std::chrono::seconds(1)},
      Unit{"m", std::chrono::minutes(1)},
      Unit{"h", std::chrono::hours(1)},
      Unit{"d", std::chrono::hours(24)},
  };
  for (const auto& unit : kUnits) {
    if (unit.name == name) {
      return unit.value;
    }
  }
  return std::nullopt;
}

/// Returns `0.<digits>` times `unit` in nanoseconds, rounded down.
std::uint64_t fraction_of(std::string_view digits, std::uint64_t unit) {
  // 18 digits suffice: for a day, the largest unit, they resolve a ten-thousandth of a nanosecond.
  // 10^18 * unit stays far below 2^128.
  static constexpr std::size_t kDigitsThatCount = 18;
  Uint128 numerator = 0;
  Uint128 denominator = 1;
  for (const char digit : digits.substr(0, kDigitsThatCount)) {
    numerator = numerator * 10 + static_cast<unsigned>(digit - '0');
    denominator *= 10;
  }
  return static_cast<std::uint64_t>(numerator * unit / denominator);
}

struct Number {
  std::string_view whole;
  std::string_view fraction;
};

/// Removes the leading number from `text` and returns it.
Number take_number(std::string_view& text) {
  Number number{take_digits(text), {}};
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
    if (number.fraction.empty()) {
      refuse(kNotATime);
    }
  }
  if (number.whole.empty() && number.fraction.empty()) {
    refuse(kNotATime);
  }
  return number;
}

/// Returns `number` times `unit` in nanoseconds, rounded down.
Uint128 product(const Number& number, nanoseconds unit) {
  const auto whole =
      number.whole.empty() ? std::optional<std::uint64_t>(0) : whole_number(number.whole);
  if (!whole) {
    refuse(kTooLong);
  }
  const auto unit_ns = static_cast<std::uint64_t>(unit.count());
  return Uint128{*whole} * unit_ns + fraction_of(number.fraction, unit_ns);
}

/// Removes the unit's name, which ends at the next number, from `text` and returns the unit.
nanoseconds take_unit(std::string_view& text) {
  const auto name = text.substr(0, text.find_first_of("0123456789."));
  const auto unit = duration_unit(name);
  if (!unit) {
    refuse(kNotATime);
  }
  text.remove_prefix(name.size());
  return *unit;
}

std::optional<std::uint32_t> pid_in(std::string_view text) {
  const auto value = all_digits(text) ? whole_number(text) : std::nullopt;
  return value && *value != 0 && *value <= kPidMaxLimit
             ? std::optional<std::uint32_t>(static_cast<std::uint32_t>(*value))
             : std::nullopt;
}

}  // namespace

nanoseconds parse_duration(std::string_view text, nanoseconds bare_unit) {
  constexpr auto most = static_cast<Uint128>(nanoseconds::max().count());
  const bool bare = text.find_first_not_of("0123456789.") == std::string_view::npos;
  Uint128 total = 0;
  do {
    const Number number = take_number(text);
    const nanoseconds unit = bare && text.empty() ? bare_unit : take_unit(text);
    total += product(number, unit);
    if (total > most) {
      refuse(kTooLong);
    }
  } while (!text.empty());
  if (total == 0) {
    refuse(kTooShort);
  }
  return nanoseconds(static_cast<nanoseconds::rep>(total));
}

std::uint64_t parse_size(std::string_view text) {
  const auto digits = take_digits(text);
  if (digits.empty() || text.size() > 1) {
    refuse(kNotASize);
  }
  unsigned shift = 0;
  switch (text.empty() ? '\0' : text.front()) {
    case '\0':
      break;
    case 'K':
    case 'k':
      shift = 10;
      break;
    case 'M':
    case 'm':
      shift = 20;
      break;
    case 'G':
    case 'g':
      shift = 30;
      break;
    case 'T':
    case 't':
      shift = 40;
      break;
    default:
      refuse(kNotASize);
  }
  const auto value = whole_number(digits);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() >> shift) {
    refuse(kTooLarge);
  }
  return *value << shift;
}

std::uint64_t parse_count(std::string_view text) {
  if (!all_digits(text)) {
    refuse(kNotACount);
  }
  const auto value = whole_number(text);
  if (!value) {
    refuse(kTooMany);
  }
  if (*value == 0) {
    refuse(kNotACount);
  }
  return *value;
}

std::uint32_t parse_pid(std::string_view text) {
  const auto pid = pid_in(text);
  if (!pid) {
    refuse(kNotAPid);
  }
  return *pid;
}

PidOrId parse_pid_or_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto pid = pid_in(text.substr(0, dash));
  if (pid && dash == std::string_view::npos) {
    return {*pid};
  }
  const std::string_view digits = pid ? text.substr(dash + 1) : std::string_view();
  const auto start = all_digits(digits) ? whole_number(digits) : std::nullopt;
  if (!start || *start == 0) {
    refuse(kNotAPidOrId);
  }
  return {*pid, *start};
}

}  // namespace bpftrap
