// SPDX-License-Identifier: GPL-2.0-only
// core/os/users.h, with passwd files of the test and with that of this machine.
#include "core/os/users.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bpftrap {
namespace {

class UsersTest : public testing::Test {
 public:
  UsersTest() {
    std::ofstream file(path_, std::ios::binary);
    file << "root:x:0:0:root:/root:/bin/bash\n"
            "toor:x:0:0:the same id:/root:/bin/sh\n"
            "# a comment\n"
            "\n"
            "daemon:x:1:1::/:/usr/sbin/nologin\n"
            "broken line\n"
            "nouid:x::100::/:/bin/sh\n"
            "alice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh\n"
            "alice:x:1001:1001:a second line:/home/alice:/bin/zsh\n"
            "1000:x:2000:2000:a number for a name:/:/bin/sh\n"
            "domain\\bob:x:3000:3000::/:/bin/sh\n"
            "big:x:4294967294:65534::/:/bin/sh\n"
            "+nis::::::\n"
            "-banned::::::\n"
            "+::::::\n"
            "last:x:4000:4000::/:/bin/sh";  // no newline at the end
  }
  ~UsersTest() override { std::filesystem::remove(path_); }

 protected:
  const std::string path_ =
      std::filesystem::temp_directory_path() / ("bpftrap-users-test." + std::to_string(getpid()));
};

TEST_F(UsersTest, NamesToIds) {
  Users users(path_);
  EXPECT_EQ(users.id("root"), 0U);
  EXPECT_EQ(users.id("toor"), 0U);
  EXPECT_EQ(users.id("daemon"), 1U);
  EXPECT_EQ(users.id("domain\\bob"), 3000U);
  EXPECT_EQ(users.id("big"), 4294967294U);
  EXPECT_EQ(users.id("last"), 4000U);
  EXPECT_EQ(users.id("alice"), 1000U) << "the first line counts";
}

TEST_F(UsersTest, NumbersAreIdsUnlessTheyAreNames) {
  Users users(path_);
  EXPECT_EQ(users.id("0"), 0U);
  EXPECT_EQ(users.id("4242"), 4242U);
  EXPECT_EQ(users.id("4294967294"), 4294967294U);
  EXPECT_EQ(users.id("1000"), 2000U) << "a name takes precedence over a number, as with chown";
}

TEST_F(UsersTest, WhatIsNoUser) {
  Users users(path_);
  for (const std::string name : {"",           "nobody-of-that-name",
                                 "Root",       "root ",
                                 " 0",         "-1",
                                 "+1",         "0x0",
                                 "1.0",        "12a",
                                 "a12",        "4294967295",
                                 "4294967296", "99999999999999999999",
                                 "nouid",      "broken line",
                                 "+",          "+nis",
                                 "nis",        "-banned",
                                 "banned"}) {
    EXPECT_EQ(users.id(name), std::nullopt) << '"' << name << '"';
  }
}

TEST_F(UsersTest, IdsToNames) {
  Users users(path_);
  EXPECT_EQ(users.name(0), "root") << "the first line counts; NIS markers are skipped";
  EXPECT_EQ(users.name(1000), "alice");
  EXPECT_EQ(users.name(1001), "alice");
  EXPECT_EQ(users.name(2000), "1000");
  EXPECT_EQ(users.name(4000), "last");
  EXPECT_EQ(users.name(4242), "4242");
  EXPECT_EQ(users.name(4294967295), "4294967295");
  EXPECT_EQ(users.name(1), "daemon") << "looking up a uid without a name changes no other";
}

TEST_F(UsersTest, ReadsTheFileOnce) {
  Users users(path_);
  std::filesystem::remove(path_);
  EXPECT_EQ(users.id("alice"), 1000U);
  EXPECT_EQ(users.name(1), "daemon");
}

TEST(Users, WithoutAFileEveryUserIsANumber) {
  Users users("/nonexistent/passwd");
  EXPECT_EQ(users.id("root"), std::nullopt);
  EXPECT_EQ(users.id("0"), 0U);
  EXPECT_EQ(users.name(0), "0");
}

TEST(Users, ReadsThisMachinesFile) {
  Users users;
  EXPECT_EQ(users.id("root"), 0U);
  EXPECT_EQ(users.name(0), "root");
}

}  // namespace
}  // namespace bpftrap
