// SPDX-License-Identifier: GPL-2.0-only
// TimestampFormatter of core/os/clock.h, compared with known instants and the C library.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/os/clock.h"

namespace bpftrap {
namespace {

std::string rfc3339(std::int64_t ns) {
  TimestampFormatter formatter;
  std::string out;
  formatter.append_rfc3339(out, WallTime{ns});
  return out;
}

TEST(Rfc3339, KnownInstants) {
  struct Case {
    std::int64_t ns;
    std::string text;
  };
  std::vector<Case> cases{
      {1'769'860'800'123'456'789, "2026-01-31T12:00:00.123456789Z"},
      {0, "1970-01-01T00:00:00.000000000Z"},
      {1, "1970-01-01T00:00:00.000000001Z"},
      {999'999'999, "1970-01-01T00:00:00.999999999Z"},
      {1'000'000'000, "1970-01-01T00:00:01.000000000Z"},
      {-1, "1969-12-31T23:59:59.999999999Z"},
      {-1'000'000'000, "1969-12-31T23:59:59.000000000Z"},
      {951'782'400'000'000'000, "2000-02-29T00:00:00.000000000Z"},
      {1'709'251'199'000'000'000, "2024-02-29T23:59:59.000000000Z"},
      {4'107'542'399'999'999'999, "2100-02-28T23:59:59.999999999Z"},
      {4'107'542'400'000'000'000, "2100-03-01T00:00:00.000000000Z"},
      {std::numeric_limits<std::int64_t>::max(), "2262-04-11T23:47:16.854775807Z"},
      {std::numeric_limits<std::int64_t>::min(), "1677-09-21T00:12:43.145224192Z"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(rfc3339(c.ns), c.text);
  }
}

TEST(Rfc3339, AgreesWithGmtime) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    auto ns = static_cast<std::int64_t>(random() >> 1);
    std::time_t second = ns / 1'000'000'000;
    std::tm utc{};
    gmtime_r(&second, &utc);
    std::array<char, 64> expected{};
    auto size = std::strftime(expected.data(), expected.size(), "%Y-%m-%dT%H:%M:%S.", &utc);
    ASSERT_EQ(rfc3339(ns).substr(0, size), expected.data());
  }
}

TEST(Rfc3339, WhatOneFormatterKeepsNeverShows) {
  TimestampFormatter formatter;
  std::mt19937_64 random(8);
  std::int64_t ns = 1'769'860'800'000'000'000;
  for (int i = 0; i < 20'000; ++i) {
    // Steps go backwards too, and cross seconds and days.
    ns += static_cast<std::int64_t>(random() % 1'500'000'000) - 700'000'000;
    if (i % 1000 == 0) {
      ns -= 86'400'000'000'000;
    }
    std::string out = "kept:";
    formatter.append_rfc3339(out, WallTime{ns});
    ASSERT_EQ(out, "kept:" + rfc3339(ns));
  }
}

// Sets TZ for the duration of a test.
class TimeZone {
 public:
  explicit TimeZone(const char* zone) {
    if (const char* before = std::getenv("TZ")) {
      before_ = std::make_unique<std::string>(before);
    }
    setenv("TZ", zone, 1);
    tzset();
  }
  ~TimeZone() {
    if (before_) {
      setenv("TZ", before_->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

 private:
  std::unique_ptr<std::string> before_;
};

std::string local_time(TimestampFormatter& formatter, std::int64_t ns) {
  std::string out;
  formatter.append_time_of_day(out, WallTime{ns});
  return out;
}

TEST(LocalTime, InTheZoneOfTheMachineToTheMillisecond) {
  constexpr std::int64_t kNoonUtc = 1'769'860'800'000'000'000;
  {
    TimeZone zone("UTC0");
    TimestampFormatter formatter;
    EXPECT_EQ(local_time(formatter, kNoonUtc), "12:00:00.000");
    EXPECT_EQ(local_time(formatter, kNoonUtc + 999'999'999), "12:00:00.999")
        << "truncated, not rounded";
    EXPECT_EQ(local_time(formatter, kNoonUtc + 1'000'000'000), "12:00:01.000");
    EXPECT_EQ(local_time(formatter, kNoonUtc + 7'000'000), "12:00:00.007");
    EXPECT_EQ(local_time(formatter, -1), "23:59:59.999");
  }
  {
    TimeZone zone("IST-5:30");
    TimestampFormatter formatter;
    EXPECT_EQ(local_time(formatter, kNoonUtc), "17:30:00.000");
  }
  {
    TimeZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    TimestampFormatter formatter;
    // 2026-03-29T01:00:00Z: 02:00 becomes 03:00.
    constexpr std::int64_t kSummer = 1'774'746'000'000'000'000;
    EXPECT_EQ(local_time(formatter, kSummer - 1), "01:59:59.999");
    EXPECT_EQ(local_time(formatter, kSummer), "03:00:00.000");
  }
}

TEST(LocalTime, AndRfc3339DoNotDisturbEachOther) {
  TimeZone zone("IST-5:30");
  TimestampFormatter formatter;
  std::string out;
  formatter.append_rfc3339(out, WallTime{1'769'860'800'123'456'789});
  out += ' ';
  formatter.append_time_of_day(out, WallTime{1'769'860'800'123'456'789});
  out += ' ';
  formatter.append_rfc3339(out, WallTime{1'769'860'800'123'456'790});
  EXPECT_EQ(out, "2026-01-31T12:00:00.123456789Z 17:30:00.123 2026-01-31T12:00:00.123456790Z");
}

}  // namespace
}  // namespace bpftrap
