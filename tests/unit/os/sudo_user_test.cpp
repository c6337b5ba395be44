// SPDX-License-Identifier: GPL-2.0-only
// core/os/sudo_user.h: whom sudo's variables and the user files name, and that user's environment.
#include "core/os/sudo_user.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/os/error.h"

namespace bpftrap {
namespace {

class SudoUserTest : public testing::Test {
 public:
  ~SudoUserTest() override { std::filesystem::remove_all(directory_); }

 protected:
  // A file of that name in a directory of the test's own.
  std::string write(const std::string& name, const std::string& text) const {
    std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  std::optional<SudoUser> look_up(const std::string& uid, const std::string& gid,
                                  const std::string& name, Environment more = {}) {
    more.insert(more.end(), {"SUDO_UID=" + uid, "SUDO_GID=" + gid, "SUDO_USER=" + name});
    return sudo_user(more, passwd_, group_);
  }

  const std::string directory_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "bpftrap-sudo-user-test.XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
  const std::string passwd_ = write("passwd",
                                    "root:x:0:0:root:/root:/bin/bash\n"
                                    "twin:x:1000:1000::/home/twin:/bin/sh\n"
                                    "alice:x:1000:1000:Alice:/home/alice:/bin/zsh\n"
                                    "bob:x:1001:100::/home/bob:\n"
                                    "+nis:x:1002:1:::\n");
  const std::string group_ = write("group",
                                   "root:x:0:\n"
                                   "wheel:x:10:root,alice\n"
                                   "users:x:100:alice,bob\n"
                                   "again:x:100:bob\n"
                                   "alices:x:200:alice2,malice\n"
                                   "alice:x:1000:\n"
                                   "docker:x:998:bob,alice\n"
                                   "+compat::0:alice\n");
};

TEST_F(SudoUserTest, IsLookedUp) {
  EXPECT_EQ(look_up("1000", "1000", "alice"),
            (SudoUser{1000, 1000, "alice", "/home/alice", "/bin/zsh", {1000, 10, 100, 998}}));
  EXPECT_EQ(look_up("1001", "100", "bob"),
            (SudoUser{1001, 100, "bob", "/home/bob", "", {100, 998}}))
      << "no group twice";
}

TEST_F(SudoUserTest, OfTwoNamesForAnIdTheOwnOneCounts) {
  EXPECT_EQ(look_up("1000", "1000", "twin")->home, "/home/twin");
  EXPECT_EQ(look_up("1000", "1000", "renamed")->home, "/home/twin") << "else the first";
  EXPECT_EQ(look_up("1234", "1000", "alice")->home, "/") << "a name of another id is not it";
}

TEST_F(SudoUserTest, UnknownToTheFiles) {
  EXPECT_EQ(look_up("5000", "5001", "ldap"), (SudoUser{5000, 5001, "ldap", "/", "", {5001}}));
  EXPECT_EQ(look_up("5000", "5001", "ldap", {"SUDO_HOME=/net/ldap"})->home, "/net/ldap");
  EXPECT_EQ(look_up("1001", "100", "bob", {"SUDO_HOME=/net/bob"})->home, "/home/bob");
  EXPECT_EQ(
      sudo_user({"SUDO_UID=1", "SUDO_GID=2", "SUDO_USER=x"}, "/nonexistent/p", "/nonexistent/g"),
      (SudoUser{1, 2, "x", "/", "", {2}}));
}

TEST_F(SudoUserTest, NoneWithoutSudo) {
  EXPECT_FALSE(sudo_user({}, passwd_, group_));
  EXPECT_FALSE(sudo_user({"SUDO_UID=1000", "SUDO_GID=1000"}, passwd_, group_));
  EXPECT_FALSE(sudo_user({"SUDO_UID=1000", "SUDO_USER=alice"}, passwd_, group_));
  EXPECT_FALSE(sudo_user({"SUDO_GID=1000", "SUDO_USER=alice"}, passwd_, group_));
  EXPECT_FALSE(sudo_user({"XSUDO_UID=0", "SUDO_GID=1000", "SUDO_USER=alice"}, passwd_, group_));
}

TEST_F(SudoUserTest, IdsThatAreNone) {
  for (const std::string id : {"", "x", "-1", "+1", " 1", "1 ", "0x1", "1.0", "4294967295",
                               "4294967296", "99999999999999999999"}) {
    EXPECT_THROW(look_up(id, "1000", "alice"), Error) << '"' << id << '"';
    EXPECT_THROW(look_up("1000", id, "alice"), Error) << '"' << id << '"';
  }
  try {
    look_up("me", "1000", "alice");
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "cannot tell who called sudo: SUDO_UID is 'me', no id; unset SUDO_UID to run the "
              "program as root");
  }
}

TEST_F(SudoUserTest, Environment) {
  SudoUser alice{1000, 1000, "alice", "/home/alice", "/bin/zsh", {1000}};
  EXPECT_EQ(
      environment_of(alice,
                     {"PATH=/bin", "HOME=/root", "USER=root", "SUDO_UID=1000", "SUDO_COMMAND=x",
                      "LOGNAME=root", "SHELL=/bin/bash", "HOMEPAGE=http://x", "USERS=SUDO_UID=1"}),
      (bpftrap::Environment{"PATH=/bin", "HOMEPAGE=http://x", "USERS=SUDO_UID=1",
                            "HOME=/home/alice", "LOGNAME=alice", "USER=alice", "SHELL=/bin/zsh"}));
  SudoUser bob{1001, 100, "bob", "/home/bob", "", {100}};
  EXPECT_EQ(environment_of(bob, {"SHELL=/bin/bash"}),
            (bpftrap::Environment{"SHELL=/bin/bash", "HOME=/home/bob", "LOGNAME=bob", "USER=bob"}));
}

}  // namespace
}  // namespace bpftrap
