// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_dir.h"

#include <gtest/gtest.h>

#include "core/os/error.h"
#include "core/os/mounts.h"

namespace bpftrap {
namespace {

TEST(CgroupDir, OtherDirectoriesAreRefused) {
  for (const char* path : {"/", "/proc", "/bpftrap-no-such-cgroup", ""}) {
    // "/" and "" are valid paths too: the root of the hierarchy.
    if (std::string_view(path).size() < 2 && !cgroup2_mount(read_mounts()).empty()) {
      continue;
    }
    EXPECT_THROW(open_cgroups({path}), Error) << path;
  }
}

TEST(CgroupDir, ByDirectoryAndByPathWithinTheHierarchy) {
  std::string root = cgroup2_mount(read_mounts());
  if (root.empty()) {
    GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
  }
  std::vector<UniqueFd> cgroups = open_cgroups({root, "/"});
  ASSERT_EQ(cgroups.size(), 2U);
  EXPECT_TRUE(cgroups[0]);
  EXPECT_TRUE(cgroups[1]);
}

}  // namespace
}  // namespace bpftrap
