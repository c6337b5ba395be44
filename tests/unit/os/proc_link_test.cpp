// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc_link.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace bpftrap {
namespace {

TEST(ProcLink, TargetAsTheProcessSeesIt) {
  EXPECT_EQ(within_root("/usr/bin/x", "/"), "/usr/bin/x");
  EXPECT_EQ(within_root("/srv/jail/bin/x", "/srv/jail"), "/bin/x");
  EXPECT_EQ(within_root("/srv/jail", "/srv/jail"), "/");
  EXPECT_EQ(within_root("/", "/"), "/");
  EXPECT_EQ(within_root("/tmp/a b (deleted)", "/"), "/tmp/a b");
  EXPECT_EQ(within_root("/memfd:x (deleted)", "/srv/jail"), "/memfd:x");
}

TEST(ProcLink, TargetOutsideTheRootIsUnknown) {
  EXPECT_EQ(within_root("/bin/x", "/srv/jail"), std::nullopt);
  EXPECT_EQ(within_root("/srv/jailer/x", "/srv/jail"), std::nullopt);
  EXPECT_EQ(within_root(std::nullopt, "/"), std::nullopt);
  EXPECT_EQ(within_root("pipe:[7]", "/"), std::nullopt);
}

TEST(ProcLink, ReadsALink) {
  EXPECT_EQ(read_link("/proc/self/cwd"), std::string(std::filesystem::current_path()));
  EXPECT_EQ(read_link("/proc/self/status"), std::nullopt);
}

}  // namespace
}  // namespace bpftrap
