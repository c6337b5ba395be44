// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_paths.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

using namespace std::literals;

Process completed(const CgroupPaths& paths, std::uint64_t id) {
  Process process;
  process.cgroup_id = id;
  paths.complete(process);
  return process;
}

TEST(CgroupPaths, FromTheLeafUp) {
  CgroupPaths paths("1:name=systemd:/\n0::/\n");
  paths.define({1, ""sv, false});
  paths.define({2, "leaf\0mid\0top\0"sv, false});
  paths.define({3, "half\0"sv, true});
  EXPECT_EQ(completed(paths, 1).cgroup, "/");
  EXPECT_EQ(completed(paths, 2).cgroup, "/top/mid/leaf");
  EXPECT_EQ(completed(paths, 3).cgroup, std::nullopt) << "a truncated path would be wrong";
  EXPECT_EQ(completed(paths, 4).cgroup, std::nullopt);
  paths.forget({2});
  EXPECT_EQ(completed(paths, 2).cgroup, std::nullopt);
}

TEST(CgroupPaths, NamesInThePath) {
  CgroupPaths paths("0::/\n");
  const std::string id(64, 'a');
  paths.define({1, std::string("docker-"s + id + ".scope\0system.slice\0"s), false});
  paths.define({2, "system.slice\0"sv, false});
  Process process = completed(paths, 1);
  EXPECT_EQ(process.unit, "docker-" + id + ".scope");
  EXPECT_EQ(process.container_id, id);
  // Another path under the same id: the names are those of the new one.
  paths.define({1, "cron.service\0system.slice\0"sv, false});
  process = completed(paths, 1);
  EXPECT_EQ(process.cgroup, "/system.slice/cron.service");
  EXPECT_EQ(process.unit, "cron.service");
  EXPECT_EQ(process.container_id, std::nullopt);
  EXPECT_EQ(completed(paths, 2).unit, std::nullopt);
}

TEST(CgroupPaths, OnlyOfHierarchiesThatExist) {
  for (const char* hierarchies : {"", "1:name=systemd:/0::/x\n", "3:cpu,cpuacct:/\n"}) {
    CgroupPaths paths(hierarchies);
    paths.define({1, ""sv, false});
    EXPECT_EQ(completed(paths, 1).cgroup, std::nullopt) << hierarchies;
  }
  for (const char* hierarchies : {"0::/\n", "4:memory:/\n", "4:cpu:/\n8:pids:/x\n"}) {
    CgroupPaths paths(hierarchies);
    paths.define({1, ""sv, false});
    EXPECT_EQ(completed(paths, 1).cgroup, "/") << hierarchies;
  }
}

TEST(CgroupPaths, WhatFindsNoRoomHasNoPath) {
  constexpr std::size_t of_entry = CgroupPaths::bytes_of_entry;
  CgroupPaths paths("0::/\n", 4 * (of_entry + 5));
  for (std::uint64_t id = 1; id <= 5; ++id) {
    paths.define({id, "leaf\0"sv, false});
  }
  EXPECT_EQ(completed(paths, 4).cgroup, "/leaf");
  EXPECT_EQ(completed(paths, 5).cgroup, std::nullopt);
  EXPECT_EQ(paths.refused(), 1U);
  paths.define({4, "leaf\0"sv, false});
  EXPECT_EQ(paths.size(), 4U) << "the same cgroup again";
  paths.forget({1});
  paths.define({5, "leaf\0"sv, false});
  EXPECT_EQ(completed(paths, 5).cgroup, "/leaf");
  EXPECT_EQ(paths.refused(), 1U);
}

TEST(CgroupPaths, LongOnesLeaveHalfOfTheRoomToOthers) {
  CgroupPaths paths("0::/\n");
  std::string names;
  for (int level = 0; level < 16; ++level) {
    names.append(255, 'x').push_back('\0');
  }
  for (std::uint64_t id = 1; id <= 3000; ++id) {
    paths.define({id, names, false});
  }
  EXPECT_LE(paths.bytes(), CgroupPaths::bytes_most / 2);
  EXPECT_GT(paths.refused(), 1900U);
  for (std::uint64_t id = 3001; id <= 6000; ++id) {
    paths.define({id, "user.slice\0"sv, false});
    ASSERT_EQ(completed(paths, id).cgroup, "/user.slice");
  }
  for (std::uint64_t id = 1; id <= 6000; ++id) {
    paths.forget({id});
  }
  EXPECT_EQ(paths.bytes(), 0U);
}

}  // namespace
}  // namespace bpftrap
