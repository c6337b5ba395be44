// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/cgroup_paths.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

using namespace std::literals;

TEST(CgroupPaths, FromTheLeafUp) {
  CgroupPaths paths("1:name=systemd:/\n0::/\n");
  paths.define({1, ""sv, false});
  paths.define({2, "leaf\0mid\0top\0"sv, false});
  paths.define({3, "half\0"sv, true});
  EXPECT_EQ(paths.find(1), "/");
  EXPECT_EQ(paths.find(2), "/top/mid/leaf");
  EXPECT_EQ(paths.find(3), std::nullopt) << "a truncated path would be wrong";
  EXPECT_EQ(paths.find(4), std::nullopt);
  paths.forget({2});
  EXPECT_EQ(paths.find(2), std::nullopt);
}

TEST(CgroupPaths, NoneWithoutTheHierarchy) {
  CgroupPaths paths("1:name=systemd:/0::/x\n");
  paths.define({1, ""sv, false});
  EXPECT_EQ(paths.find(1), std::nullopt);
}

}  // namespace
}  // namespace bpftrap
