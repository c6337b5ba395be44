// SPDX-License-Identifier: GPL-2.0-only
#include "core/text/moment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <stdexcept>

namespace bpftrap {
namespace {

constexpr std::int64_t second = 1'000'000'000;
// 2026-11-17T12:34:56Z
constexpr WallTime now{1'794'918'896 * second};

class MomentTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "EET-2", 1);  // two hours east
    ::tzset();
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

std::int64_t seconds_of(std::string_view text) {
  return parse_moment(text, now).ns / second;
}

TEST_F(MomentTest, Forms) {
  constexpr std::int64_t midnight = 1'794'866'400;  // 2026-11-17 00:00 +02:00
  EXPECT_EQ(seconds_of("now"), now.ns / second);
  EXPECT_EQ(seconds_of("today"), midnight);
  EXPECT_EQ(seconds_of("yesterday"), midnight - 86400);
  EXPECT_EQ(seconds_of("2026-11-17"), midnight);
  EXPECT_EQ(seconds_of("2026-11-17 14:00"), midnight + 14 * 3600);
  EXPECT_EQ(seconds_of("2026-11-17T14:00:05"), midnight + 14 * 3600 + 5);
  EXPECT_EQ(seconds_of("14:00"), midnight + 14 * 3600);
  EXPECT_EQ(seconds_of("14:00:07"), midnight + 14 * 3600 + 7);
  EXPECT_EQ(seconds_of("2026-11-17T12:34:56Z"), now.ns / second);
  EXPECT_EQ(seconds_of("2026-11-17T14:34:56+02:00"), now.ns / second);
  EXPECT_EQ(seconds_of("2026-11-17T07:04:56-05:30"), now.ns / second);
  EXPECT_EQ(seconds_of("-2h"), now.ns / second - 7200);
  EXPECT_EQ(seconds_of("-90"), now.ns / second - 90);
}

TEST_F(MomentTest, Fractions) {
  EXPECT_EQ(parse_moment("2026-11-17T12:34:56.000000001Z", now).ns, now.ns + 1);
  EXPECT_EQ(parse_moment("2026-11-17T12:34:56.5Z", now).ns, now.ns + second / 2);
}

TEST_F(MomentTest, RefusesOthers) {
  for (const char* text : {"", "x", "2026", "2026-13-01", "2026-02-30", "2026-11-17x",
                           "2026-11-17 ", "24:00", "1:00", "12:60", "2026-11-17T12:34:56.Z",
                           "2026-11-17T12:34:56+2", "-", "-x", "12:00Z", "9999-01-01"}) {
    EXPECT_THROW(parse_moment(text, now), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace bpftrap
