// SPDX-License-Identifier: GPL-2.0-only
#include "core/text/moment.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <stdexcept>

#include "core/text/units.h"

namespace bpftrap {

namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

// Takes a text apart from the front. A step that does not match makes the whole text invalid.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(char c) {
    bool found = rest_.starts_with(c);
    rest_.remove_prefix(found ? 1 : 0);
    return found;
  }
  void expect(char c) { valid_ = take(c) && valid_; }

  // A number of exactly so many digits, within bounds.
  int number(std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      bool is_digit = !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
      if (!is_digit) {
        valid_ = false;
        return least;
      }
      value = 10 * value + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    valid_ = valid_ && value >= least && value <= most;
    return value;
  }

  // The digits behind a point, in nanoseconds.
  std::int64_t fraction() {
    std::int64_t value = 0;
    std::int64_t unit = ns_per_second;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      unit /= 10;
      value += unit * (rest_.front() - '0');
      rest_.remove_prefix(1);
      any = true;
    }
    valid_ = valid_ && any;
    return value;
  }

  bool is_at_end() const { return rest_.empty(); }
  bool is_valid() const { return valid_; }

 private:
  std::string_view rest_;
  bool valid_ = true;
};

std::tm local_day(WallTime time) {
  std::time_t second = time.ns / ns_per_second;
  std::tm day{};
  ::localtime_r(&second, &day);
  day.tm_hour = day.tm_min = day.tm_sec = 0;
  return day;
}

WallTime from_local(std::tm local, std::int64_t fraction) {
  local.tm_isdst = -1;
  return {std::int64_t{::mktime(&local)} * ns_per_second + fraction};
}

bool is_a_day(const std::tm& date) {
  return std::chrono::year_month_day(std::chrono::year(date.tm_year + 1900),
                                     std::chrono::month(static_cast<unsigned>(date.tm_mon + 1)),
                                     std::chrono::day(static_cast<unsigned>(date.tm_mday)))
      .ok();
}

// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.FRACTION`. Returns the fraction.
std::int64_t scan_time(Scanner& scanner, std::tm& to) {
  to.tm_hour = scanner.number(2, 0, 23);
  scanner.expect(':');
  to.tm_min = scanner.number(2, 0, 59);
  if (!scanner.take(':')) {
    return 0;
  }
  to.tm_sec = scanner.number(2, 0, 60);
  return scanner.take('.') ? scanner.fraction() : 0;
}

// Behind the time: `Z` or `+HH:MM`. Returns the offset in seconds, or nullopt without a zone.
std::optional<std::int64_t> scan_zone(Scanner& scanner) {
  if (scanner.take('Z') || scanner.take('z')) {
    return 0;
  }
  bool east = scanner.take('+');
  if (!east && !scanner.take('-')) {
    return std::nullopt;
  }
  std::int64_t hours = scanner.number(2, 0, 23);
  scanner.expect(':');
  std::int64_t seconds = 3600 * hours + std::int64_t{60} * scanner.number(2, 0, 59);
  return east ? seconds : -seconds;
}

std::optional<WallTime> scan_date(std::string_view text) {
  Scanner scanner(text);
  std::tm moment{};
  moment.tm_year = scanner.number(4, 1970, 2261) - 1900;
  scanner.expect('-');
  moment.tm_mon = scanner.number(2, 1, 12) - 1;
  scanner.expect('-');
  moment.tm_mday = scanner.number(2, 1, 31);
  if (!scanner.is_valid() || !is_a_day(moment)) {
    return std::nullopt;
  }
  std::int64_t fraction = 0;
  std::optional<std::int64_t> zone;
  if (scanner.take(' ') || scanner.take('T') || scanner.take('t')) {
    fraction = scan_time(scanner, moment);
    zone = scan_zone(scanner);
  }
  if (!scanner.is_valid() || !scanner.is_at_end()) {
    return std::nullopt;
  }
  return zone ? WallTime{(std::int64_t{::timegm(&moment)} - *zone) * ns_per_second + fraction}
              : from_local(moment, fraction);
}

std::optional<WallTime> scan_time_of_day(std::string_view text, WallTime now) {
  Scanner scanner(text);
  std::tm moment = local_day(now);
  std::int64_t fraction = scan_time(scanner, moment);
  return scanner.is_valid() && scanner.is_at_end() ? std::optional(from_local(moment, fraction))
                                                   : std::nullopt;
}

}  // namespace

WallTime parse_moment(std::string_view text, WallTime now) {
  if (text == "now") {
    return now;
  }
  if (text == "today" || text == "yesterday") {
    std::tm day = local_day(now);
    day.tm_mday -= text == "yesterday" ? 1 : 0;
    return from_local(day, 0);
  }
  if (text.starts_with('-')) {
    return {now.ns - parse_duration(text.substr(1), std::chrono::seconds(1)).count()};
  }
  std::optional<WallTime> moment = scan_date(text);
  moment = moment ? moment : scan_time_of_day(text, now);
  if (!moment) {
    throw std::invalid_argument(
        "is not a time; expected RFC 3339, 2026-11-17, '2026-11-17 14:00', 14:00, now, today, "
        "yesterday, or -2h");
  }
  return *moment;
}

}  // namespace bpftrap
