// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <gtest/gtest.h>

#include <chrono>

#include "core/analysis/critical_path.h"

namespace bpftrap {

// The segments have no gaps, and the parts of each add up.
inline void expect_tiles(const CriticalPath& path) {
  BootTime at = path.begin;
  std::chrono::nanoseconds sum{};
  for (const Segment& segment : path.segments) {
    EXPECT_EQ(segment.begin, at);
    EXPECT_GT(segment.end, segment.begin);
    EXPECT_GE(segment.cpu, std::chrono::nanoseconds(0));
    EXPECT_GE(segment.cpu_wait, std::chrono::nanoseconds(0));
    EXPECT_GE(segment.blocked(), std::chrono::nanoseconds(0));
    EXPECT_EQ(segment.cpu + segment.cpu_wait + segment.blocked(), segment.duration());
    sum += segment.duration();
    at = segment.end;
  }
  EXPECT_EQ(at, path.end);
  EXPECT_EQ(sum, path.wall());
}

}  // namespace bpftrap
