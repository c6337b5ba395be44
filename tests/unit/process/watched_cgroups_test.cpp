// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/watched_cgroups.h"

#include <gtest/gtest.h>

#include "core/os/error.h"
#include "core/os/mounts.h"

namespace bpftrap {
namespace {

TEST(WatchedCgroups, OtherDirectoriesAreRefused) {
  for (const char* path : {"/", "/proc", "/bpftrap-no-such-cgroup", ""}) {
    // "/" and "" are valid paths too: the root of the hierarchy.
    if (std::string_view(path).size() < 2 && !cgroup2_mount(read_mounts()).empty()) {
      continue;
    }
    EXPECT_THROW(WatchedCgroups({path}), Error) << path;
  }
}

TEST(WatchedCgroups, TheMountNeedsNoName) {
  std::string root = cgroup2_mount(read_mounts());
  if (root.empty()) {
    GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
  }
  EXPECT_EQ(WatchedCgroups({root, "/", root + "/."}).names(), 0U);
}

TEST(WatchedCgroups, NoneAreNone) {
  EXPECT_EQ(WatchedCgroups({}).names(), 0U);
}

}  // namespace
}  // namespace bpftrap
