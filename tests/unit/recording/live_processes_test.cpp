// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/live_processes.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace bpftrap {
namespace {

std::vector<std::string> listed(const LiveProcesses& live) {
  std::vector<std::string> records;
  live.for_each([&records](std::string_view record) { records.emplace_back(record); });
  return records;
}

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(LiveProcesses, OlderProcessThatExecutesIsForgottenAtItsEnd) {
  LiveProcesses live(1 << 20);
  const std::string exec(128, 'e');
  live.add_older(7, "older");
  live.executed({4007, 10}, 7, bytes(exec));
  EXPECT_FALSE(listed(live).empty());
  live.ended({4007, 10}, 7);
  EXPECT_EQ(listed(live), std::vector<std::string>());
}

TEST(LiveProcesses, EndOfALaterProcessForgetsAnOlderOneWithItsNumber) {
  LiveProcesses live(1 << 20);
  const std::string exec(128, 'e');
  live.add_older(7, "older");  // its end was lost
  live.executed({9007, 99}, 7, bytes(exec));
  live.ended({9007, 99}, 7);
  EXPECT_EQ(listed(live), std::vector<std::string>());
}

}  // namespace
}  // namespace bpftrap
