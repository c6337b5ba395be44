// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/proc.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace bpftrap {
namespace {

TEST(ProcStat, FieldsBehindAnyName) {
  std::optional<ProcStat> stat = parse_proc_stat(
      "70 (a) S 9 (b) S 12 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 1234 1000 10\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "a) S 9 (b");
  EXPECT_EQ(stat->parent, 12U);
  EXPECT_EQ(stat->flags, 4194560U);
  EXPECT_EQ(stat->threads, 3U);
  EXPECT_EQ(stat->start_ticks, 1234U);
}

TEST(ProcStat, NoneOfMalformedText) {
  for (const char* text : {"", "70", "70 (a", "70 (a)", "70 (a) S", "70 (a) S x 1 1 0 -1 0",
                           "70 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0"}) {
    EXPECT_FALSE(parse_proc_stat(text)) << text;
  }
}

TEST(ProcStat, OfThisProcess) {
  std::optional<ProcStat> stat = read_proc_stat("/proc/self");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, static_cast<std::uint64_t>(::getppid()));
  EXPECT_FALSE(read_proc_stat("/proc/no-such-process"));
}

class ProcWalkTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(path_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void add(const char* name) const { std::filesystem::create_directory(path_ + "/" + name); }

  std::string path_ = testing::TempDir() + "bpftrap-proc-XXXXXX";
};

TEST_F(ProcWalkTest, NumbersOnly) {
  for (const char* name : {"7", "4194304", "self", "7x", "x7", "99999999999", "sys"}) {
    add(name);
  }
  std::set<std::string> seen;
  ProcWalk walk(path_);
  while (walk.next()) {
    EXPECT_EQ(walk.directory(), path_ + "/" + std::to_string(walk.pid()));
    EXPECT_TRUE(seen.insert(walk.directory()).second);
  }
  EXPECT_EQ(seen, (std::set<std::string>{path_ + "/7", path_ + "/4194304"}));
  EXPECT_FALSE(walk.next()) << "a finished walk stays finished";
}

TEST_F(ProcWalkTest, NoneOfWhatCannotBeOpened) {
  EXPECT_FALSE(ProcWalk(path_ + "/missing").next());
}

TEST_F(ProcWalkTest, FindsThisProcess) {
  ProcWalk walk("/proc");
  bool found = false;
  while (walk.next()) {
    found = found || walk.pid() == ::getpid();
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace bpftrap
