// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/memory_limit.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace bpftrap {
namespace {

class MemoryLimit : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(root_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text << '\n';
  }
  std::uint64_t limit(const char* mounts, const char* cgroups) const {
    return memory_limit(mounts, cgroups, root_);
  }

  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  std::string root_ = testing::TempDir() + "bpftrap-limit-XXXXXX";
};

TEST_F(MemoryLimit, LeastOfTheGroupAndThoseAbove) {
  const char* mounts = "proc /proc proc rw 0 0\ncgroup2 /cg cgroup2 rw,nsdelegate 0 0\n";
  EXPECT_EQ(limit(mounts, "0::/a/b\n"), none);
  write("/cg/a/b/memory.max", "max");
  EXPECT_EQ(limit(mounts, "0::/a/b\n"), none);
  write("/cg/a/memory.max", "33554432");
  EXPECT_EQ(limit(mounts, "0::/a/b\n"), 33554432U);
  write("/cg/a/b/memory.max", "1000000");
  EXPECT_EQ(limit(mounts, "0::/a/b\n"), 1000000U);
  write("/cg/memory.max", "4096");
  EXPECT_EQ(limit(mounts, "0::/\n"), 4096U);
  EXPECT_EQ(limit(mounts, "0::/not/mounted/here\n"), 4096U);
}

TEST_F(MemoryLimit, Version1IsTheHierarchyOfMemory) {
  const char* mounts =
      "cgroup /cg/cpu cgroup rw,cpu 0 0\ncgroup /cg/memory cgroup rw,relatime,memory 0 0\n";
  write("/cg/cpu/a/memory.limit_in_bytes", "1");
  write("/cg/memory/a/memory.limit_in_bytes", "33554432");
  write("/cg/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(limit(mounts, "3:cpu:/a\n2:memory:/a\n0::/a\n"), 33554432U);
  EXPECT_EQ(limit(mounts, "2:memory:/\n"), 9223372036854771712U);
}

TEST_F(MemoryLimit, NothingIsKnownOfWhatIsNotMountedOrOdd) {
  for (const char* cgroups : {"", "\n", "0::", "0::/a", "x", "::", "2:memory:a/b\n", "1:memory"}) {
    EXPECT_EQ(limit("", cgroups), none) << cgroups;
    EXPECT_EQ(limit("cgroup2 /cg cgroup2 rw 0 0\nc /m cgroup memory 0 0\n\nx y\n", cgroups), none)
        << cgroups;
  }
}

}  // namespace
}  // namespace bpftrap
