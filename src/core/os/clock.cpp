// SPDX-License-Identifier: GPL-2.0-only
// Boot time to wall time, and wall time to text (see clock.h).
#include "core/os/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "core/os/file.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t ns_per_second = 1'000'000'000;

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * ns_per_second + now.tv_nsec;
}

nanoseconds read_boottime_namespace_offset() {
  // Kernels before 5.6 have no time namespaces and no such file.
  return boottime_namespace_offset(read_file("/proc/self/timens_offsets").value_or(""));
}

std::int64_t take_integer(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::int64_t value = 0;
  std::from_chars_result parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

struct SplitTime {
  std::int64_t second;
  std::uint32_t nanosecond;
};

// Rounds towards the past, so that the fraction is positive before 1970 too.
SplitTime split(WallTime time) {
  std::int64_t second = time.ns / ns_per_second;
  std::int64_t nanosecond = time.ns % ns_per_second;
  if (nanosecond < 0) {
    nanosecond += ns_per_second;
    --second;
  }
  return {second, static_cast<std::uint32_t>(nanosecond)};
}

void append_digits(std::string& out, std::uint32_t value, std::size_t width) {
  std::array<char, 10> digits{};
  for (std::size_t place = width; place > 0; --place) {
    digits[place - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits.data(), width);
}

}  // namespace

BootClock::time_point BootClock::now() {
  return time_point(nanoseconds(read_clock(CLOCK_BOOTTIME)) - namespace_offset());
}

BootClock::duration BootClock::namespace_offset() {
  static const nanoseconds offset = read_boottime_namespace_offset();
  return offset;
}

// kernel/time/namespace.c proc_timens_show_offsets() writes `boottime  SECONDS  NS`.
nanoseconds boottime_namespace_offset(std::string_view timens_offsets) {
  static constexpr std::string_view clock_name = "boottime";
  std::size_t found = timens_offsets.find(clock_name);
  if (found == std::string_view::npos) {
    return nanoseconds::zero();
  }
  timens_offsets.remove_prefix(found + clock_name.size());
  std::int64_t seconds = take_integer(timens_offsets);
  return std::chrono::seconds(seconds) + nanoseconds(take_integer(timens_offsets));
}

TimeSources TimeSources::system() {
  return {.now_boot = &BootClock::now,
          .now_real = [] { return WallTime{read_clock(CLOCK_REALTIME)}; }};
}

WallClock::WallClock(TimeSources sources)
    : sources_(std::move(sources)), current_(measure()), previous_(current_) {}

WallClock::Anchor WallClock::measure() const {
  // The task may be preempted between two readings; the tightest of a few attempts is not.
  static constexpr int attempts = 5;
  Anchor best{};
  nanoseconds narrowest = nanoseconds::max();
  for (int attempt = 0; attempt < attempts; ++attempt) {
    BootTime before = sources_.now_boot();
    WallTime real = sources_.now_real();
    BootTime after = sources_.now_boot();
    if (after - before >= narrowest) {
      continue;
    }
    narrowest = after - before;
    best.since = before;
    best.lowest = real.ns - after.time_since_epoch().count();
    best.highest = real.ns - before.time_since_epoch().count();
    best.offset = best.lowest + (best.highest - best.lowest) / 2;
  }
  return best;
}

bool WallClock::reanchor() {
  Anchor measured = measure();
  std::int64_t lowest = std::max(measured.lowest, current_.lowest);
  std::int64_t highest = std::min(measured.highest, current_.highest);
  if (lowest <= highest) {
    // One offset explains both measurements. Keep it, so that timestamps do not jitter with the
    // noise of each measurement.
    current_.lowest = lowest;
    current_.highest = highest;
    return false;
  }
  previous_ = current_;
  current_ = measured;
  return true;
}

WallClock WallClock::recorded() {
  return WallClock(
      TimeSources{.now_boot = [] { return BootTime(); }, .now_real = [] { return WallTime{0}; }});
}

void WallClock::continue_with(BootTime since, std::int64_t offset_ns) {
  if (offset_ns != current_.offset) {
    previous_ = current_;
    current_ = {since, offset_ns, offset_ns, offset_ns};
  }
}

void WallClock::restart_with(std::int64_t offset_ns) {
  current_ = {BootTime(), offset_ns, offset_ns, offset_ns};
  previous_ = current_;
}

WallTime WallClock::to_wall(BootTime time) const {
  const Anchor& anchor = time < current_.since ? previous_ : current_;
  return {time.time_since_epoch().count() + anchor.offset};
}

void TimestampFormatter::append_rfc3339(std::string& out, WallTime time) {
  auto [second, nanosecond] = split(time);
  if (second != utc_second_) {
    std::chrono::sys_seconds instant{std::chrono::seconds(second)};
    auto midnight = std::chrono::floor<std::chrono::days>(instant);
    std::chrono::year_month_day date(midnight);
    std::chrono::hh_mm_ss clock(instant - midnight);
    utc_.clear();
    append_digits(utc_, static_cast<std::uint32_t>(int{date.year()}), 4);
    utc_ += '-';
    append_digits(utc_, unsigned{date.month()}, 2);
    utc_ += '-';
    append_digits(utc_, unsigned{date.day()}, 2);
    utc_ += 'T';
    append_digits(utc_, static_cast<std::uint32_t>(clock.hours().count()), 2);
    utc_ += ':';
    append_digits(utc_, static_cast<std::uint32_t>(clock.minutes().count()), 2);
    utc_ += ':';
    append_digits(utc_, static_cast<std::uint32_t>(clock.seconds().count()), 2);
    utc_ += '.';
    utc_second_ = second;
  }
  out += utc_;
  append_digits(out, nanosecond, 9);
  out += 'Z';
}

void TimestampFormatter::append_time_of_day(std::string& out, WallTime time) {
  auto [second, nanosecond] = split(time);
  if (second != local_second_) {
    std::time_t instant = second;
    std::tm local{};
    if (zone_ == Zone::utc) {
      gmtime_r(&instant, &local);
    } else {
      localtime_r(&instant, &local);
    }
    local_.clear();
    if (dates_) {
      append_digits(local_, static_cast<std::uint32_t>(local.tm_year + 1900), 4);
      local_ += '-';
      append_digits(local_, static_cast<std::uint32_t>(local.tm_mon + 1), 2);
      local_ += '-';
      append_digits(local_, static_cast<std::uint32_t>(local.tm_mday), 2);
      local_ += ' ';
    }
    append_digits(local_, static_cast<std::uint32_t>(local.tm_hour), 2);
    local_ += ':';
    append_digits(local_, static_cast<std::uint32_t>(local.tm_min), 2);
    local_ += ':';
    append_digits(local_, static_cast<std::uint32_t>(local.tm_sec), 2);
    local_ += '.';
    local_second_ = second;
  }
  out += local_;
  append_digits(out, nanosecond / 1'000'000, 3);
}

}  // namespace bpftrap
