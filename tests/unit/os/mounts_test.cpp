// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/mounts.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

TEST(Mounts, FieldsOfEachLine) {
  std::vector<Mount> mounts = parse_mounts(
      "proc /proc proc rw,nosuid 0 0\n"
      "/dev/vda1 / ext4 rw,relatime 0 0\n");
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].target, "/proc");
  EXPECT_EQ(mounts[1].type, "ext4");
  EXPECT_EQ(mounts[1].options, "rw,relatime");
}

TEST(Mounts, TargetsAreDecoded) {
  auto target = [](const std::string& field) {
    std::vector<Mount> mounts = parse_mounts("none " + field + " tmpfs rw 0 0\n");
    return mounts.empty() ? "" : mounts[0].target;
  };
  EXPECT_EQ(target("/mnt/a\\040b"), "/mnt/a b");
  EXPECT_EQ(target("\\011\\012\\043\\134"), "\t\n#\\");
  EXPECT_EQ(target("/mnt/\\134040"), "/mnt/\\040") << "each escape is decoded once";
  EXPECT_EQ(target("/mnt/\\04"), "/mnt/\\04");
  EXPECT_EQ(target("/mnt/\\080x"), "/mnt/\\080x");
  EXPECT_EQ(target("/mnt/\\"), "/mnt/\\");
}

TEST(Mounts, MalformedLinesAreSkipped) {
  EXPECT_TRUE(parse_mounts("").empty());
  EXPECT_TRUE(parse_mounts("\n\nproc\nproc /proc proc\n").empty());
  EXPECT_EQ(parse_mounts("x y\nproc /proc proc rw").size(), 1U);
}

TEST(Mounts, CgroupHierarchies) {
  std::vector<Mount> mounts = parse_mounts(
      "cgroup /cg/cpu cgroup rw,cpu,cpuacct 0 0\n"
      "cgroup /cg/memory\\040of cgroup rw,relatime,memory 0 0\n"
      "cgroup2 /cg/unified cgroup2 rw,memory_recursiveprot 0 0\n"
      "cgroup2 /elsewhere cgroup2 rw 0 0\n");
  EXPECT_EQ(cgroup2_mount(mounts), "/cg/unified");
  EXPECT_EQ(cgroup1_mount(mounts, "memory"), "/cg/memory of");
  EXPECT_EQ(cgroup1_mount(mounts, "cpuacct"), "/cg/cpu");
  EXPECT_EQ(cgroup1_mount(mounts, "cpua"), "");
  EXPECT_EQ(cgroup2_mount({}), "");
}

TEST(Mounts, NamesOfOtherFieldsAreNoTypes) {
  // A source or a directory named cgroup2 is not a cgroup2 file system.
  EXPECT_EQ(cgroup2_mount(parse_mounts("cgroup2 cgroup2 tmpfs cgroup2 0 0\n")), "");
}

TEST(Mounts, OfThisProcess) {
  EXPECT_FALSE(read_mounts().empty());
}

}  // namespace
}  // namespace bpftrap
