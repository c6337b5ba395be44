// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc_cgroup.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

TEST(ProcCgroup, LinesOfBothVersions) {
  std::vector<ProcCgroup> cgroups =
      parse_proc_cgroup("3:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/user.slice\n");
  ASSERT_EQ(cgroups.size(), 3U);
  EXPECT_FALSE(cgroups[0].v2);
  EXPECT_TRUE(cgroups[0].has_controller("cpuacct"));
  EXPECT_FALSE(cgroups[0].has_controller("cpua"));
  EXPECT_EQ(cgroups[0].path, "/a:b");
  EXPECT_TRUE(cgroups[2].v2);
  EXPECT_EQ(cgroups[2].path, "/user.slice");
}

TEST(ProcCgroup, MalformedLinesAreSkipped) {
  EXPECT_TRUE(parse_proc_cgroup("").empty());
  EXPECT_TRUE(parse_proc_cgroup("x\n\n1:memory\n").empty());
}

TEST(ProcCgroup, Version2IsALineNotAPart) {
  EXPECT_TRUE(is_in_cgroup2("0::/"));
  EXPECT_TRUE(is_in_cgroup2("1:name=systemd:/\n0::/\n"));
  EXPECT_FALSE(is_in_cgroup2("1:name=systemd:/0::/x\n"));
  EXPECT_FALSE(is_in_cgroup2("10::/\n"));
  EXPECT_FALSE(is_in_cgroup2(""));
}

}  // namespace
}  // namespace bpftrap
