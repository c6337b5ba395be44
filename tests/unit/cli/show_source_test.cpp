// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show_source.h"

#include <gtest/gtest.h>

#include "core/os/clock.h"

namespace bpftrap {
namespace {

constexpr std::int64_t day = 24LL * 3600 * 1'000'000'000;

TEST(ShowSource, DatesAreForRecordsOfOtherDaysInTheWindow) {
  const std::int64_t now = WallClock().now().ns;
  const std::int64_t midnight = now - now % day;  // UTC
  Outline outline;
  EXPECT_FALSE(needs_dates(outline, {}, true));
  outline.first_wall_ns = midnight - 1;
  outline.last_wall_ns = now;
  EXPECT_TRUE(needs_dates(outline, {}, true));
  EXPECT_FALSE(needs_dates(outline, {.since_ns = midnight}, true));
  EXPECT_TRUE(needs_dates(outline, {.until_ns = midnight - 1}, true)) << "yesterday only";
  EXPECT_TRUE(needs_dates(outline, {.since_ns = midnight - 1}, true));
}

}  // namespace
}  // namespace bpftrap
