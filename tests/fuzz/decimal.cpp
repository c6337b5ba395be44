// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/decimal.h"

#include <algorithm>
#include <map>

namespace fuzz {

namespace {

bool digits_only(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string without_zeros(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.empty() ? "0" : std::string(digits);
}

bool at_most(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a <= b;
}

std::string product(std::string_view digits, std::uint64_t factor) {
  std::string result;
  std::uint64_t carry = 0;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    carry += static_cast<std::uint64_t>(*digit - '0') * factor;
    result += static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  for (; carry > 0; carry /= 10) {
    result += static_cast<char>('0' + carry % 10);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

std::optional<std::string> up_to(std::string number, std::string_view most) {
  return at_most(number, most) ? std::optional(std::move(number)) : std::nullopt;
}

std::string sum(std::string a, std::string b) {
  std::size_t size = std::max(a.size(), b.size());
  a.insert(0, size - a.size(), '0');
  b.insert(0, size - b.size(), '0');
  int carry = 0;
  for (std::size_t i = size; i-- > 0; carry /= 10) {
    carry += (a[i] - '0') + (b[i] - '0');
    a[i] = static_cast<char>('0' + carry % 10);
  }
  return carry > 0 ? std::to_string(carry) + a : a;
}

// A number with a unit. Fractions of a nanosecond are dropped.
std::optional<std::string> part_in_ns(std::string_view number, std::uint64_t unit) {
  std::size_t point = std::min(number.find('.'), number.size());
  std::string_view whole = number.substr(0, point);
  std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  bool ends_with_point = point < number.size() && fraction.empty();
  if (number.empty() || ends_with_point || !digits_only(fraction)) {
    return std::nullopt;
  }
  std::string ns = product(std::string(whole) + std::string(fraction), unit);
  ns.resize(ns.size() - std::min(ns.size(), fraction.size()));
  return without_zeros(ns);
}

}  // namespace

std::optional<std::string> duration_in_ns(std::string_view text, std::uint64_t bare_unit_ns) {
  const std::map<std::string_view, std::uint64_t> units{
      {"ns", 1},           {"us", 1000},          {"ms", 1'000'000},     {"s", 1'000'000'000},
      {"m", 60000000000U}, {"h", 3600000000000U}, {"d", 86400000000000U}};
  constexpr std::string_view of_numbers = "0123456789.";
  std::optional<std::string> total = "0";
  if (text.find_first_not_of(of_numbers) == std::string_view::npos) {
    total = part_in_ns(text, bare_unit_ns);
    text = "";
  }
  while (!text.empty() && total) {
    std::size_t number = std::min(text.find_first_not_of(of_numbers), text.size());
    std::size_t end = std::min(text.find_first_of(of_numbers, number), text.size());
    auto unit = units.find(text.substr(number, end - number));
    auto part =
        unit == units.end() ? std::nullopt : part_in_ns(text.substr(0, number), unit->second);
    total = part ? std::optional(without_zeros(sum(*total, *part))) : std::nullopt;
    text.remove_prefix(end);
  }
  return total && *total != "0" ? up_to(*total, "9223372036854775807") : std::nullopt;
}

std::optional<std::string> size_in_bytes(std::string_view text) {
  std::uint64_t unit = 1;
  if (!text.empty()) {
    std::size_t letter = std::string_view("KkMmGgTt").find(text.back());
    if (letter != std::string_view::npos) {
      unit = std::uint64_t{1} << (10 * (letter / 2 + 1));
      text.remove_suffix(1);
    }
  }
  if (text.empty() || !digits_only(text)) {
    return std::nullopt;
  }
  return up_to(without_zeros(product(text, unit)), "18446744073709551615");
}

std::optional<std::string> whole_number(std::string_view text, std::string_view least,
                                        std::string_view most) {
  if (text.empty() || !digits_only(text)) {
    return std::nullopt;
  }
  std::string number = without_zeros(text);
  return at_most(least, number) ? up_to(number, most) : std::nullopt;
}

}  // namespace fuzz
