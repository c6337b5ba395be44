// SPDX-License-Identifier: GPL-2.0-only
// core/os/caller.h: the user that the variables of sudo and doas name, and the environment that
// PROGRAM gets.
#include "core/os/caller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/os/error.h"

namespace bpftrap {
namespace {

using Tool = SudoProcess::Tool;
using Groups = std::vector<gid_t>;

class CallerTest : public testing::Test {
 public:
  ~CallerTest() override { std::filesystem::remove_all(directory_); }

 protected:
  // A file of that name in a directory of the test's own.
  std::string write(const std::string& name, const std::string& text) const {
    std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  std::optional<Caller> find(const Environment& own,
                             const std::optional<SudoProcess>& parent = {}) const {
    return find_caller(own, parent, {passwd_, group_});
  }
  std::optional<Caller> look_up(const std::string& uid, const std::string& gid,
                                const std::string& name, Environment more = {}) const {
    more.insert(more.end(), {"SUDO_UID=" + uid, "SUDO_GID=" + gid, "SUDO_USER=" + name});
    return find(more);
  }
  std::string home(const std::string& uid, const std::string& gid, const std::string& name,
                   const Environment& more = {}) const {
    return std::string(find_variable(look_up(uid, gid, name, more)->environment, "HOME").value());
  }
  // sudo, called by that user.
  static SudoProcess called_by(uid_t uid, Environment environment, Tool tool = Tool::sudo) {
    return {tool, uid, 7, std::move(environment), {"sudo"}, std::nullopt};
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

TEST_F(CallerTest, IsLookedUp) {
  std::optional<Caller> alice = look_up("1000", "1000", "alice");
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->uid, 1000U);
  EXPECT_EQ(alice->gid, 1000U);
  EXPECT_EQ(alice->name, "alice");
  EXPECT_EQ(alice->groups, (Groups{1000, 10, 100, 998}));
  EXPECT_EQ(look_up("1001", "100", "bob")->groups, (Groups{100, 998})) << "no group twice";
}

TEST_F(CallerTest, OfTwoNamesForAnIdTheOwnOneCounts) {
  EXPECT_EQ(home("1000", "1000", "alice"), "/home/alice");
  EXPECT_EQ(home("1000", "1000", "twin"), "/home/twin");
  EXPECT_EQ(home("1000", "1000", "renamed"), "/home/twin") << "else the first";
  EXPECT_EQ(home("1234", "1000", "alice"), "/") << "a name of another id is not it";
}

TEST_F(CallerTest, UnknownToTheFiles) {
  EXPECT_EQ(look_up("5000", "5001", "ldap")->groups, Groups{5001});
  EXPECT_EQ(home("5000", "5001", "ldap"), "/");
  EXPECT_EQ(home("5000", "5001", "ldap", {"SUDO_HOME=/net/ldap"}), "/net/ldap");
  EXPECT_EQ(home("1001", "100", "bob", {"SUDO_HOME=/net/bob"}), "/home/bob");
  auto caller = find_caller({"SUDO_UID=1", "SUDO_GID=2", "SUDO_USER=x"}, std::nullopt,
                            {"/nonexistent/p", "/nonexistent/g"});
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->groups, Groups{2});
}

TEST_F(CallerTest, NoneWithoutSudo) {
  EXPECT_FALSE(find({}));
  EXPECT_FALSE(find({"SUDO_UID=1000", "SUDO_GID=1000"}));
  EXPECT_FALSE(find({"SUDO_UID=1000", "SUDO_USER=alice"}));
  EXPECT_FALSE(find({"SUDO_GID=1000", "SUDO_USER=alice"}));
  EXPECT_FALSE(find({"XSUDO_UID=0", "SUDO_GID=1000", "SUDO_USER=alice"}));
}

TEST_F(CallerTest, IdsThatAreNone) {
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

TEST_F(CallerTest, DoasNamesItsCaller) {
  std::optional<Caller> bob = find({"DOAS_USER=bob", "HOME=/root"});
  ASSERT_TRUE(bob);
  EXPECT_EQ(
      *bob,
      (Caller{1001, 100, "bob", {100, 998}, {"HOME=/home/bob", "LOGNAME=bob", "USER=bob"}, false}));
}

TEST_F(CallerTest, GroupOfADoasCallerIsThatOfItsProcess) {
  std::optional<Caller> bob = find({"DOAS_USER=bob"}, called_by(1001, {}, Tool::doas));
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->gid, 7U);
  EXPECT_EQ(bob->groups, (Groups{7, 100, 998}));
}

TEST_F(CallerTest, DoasCallerUnknownToTheFiles) {
  try {
    find({"DOAS_USER=ldap"});
    FAIL() << "ran as root";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "cannot tell who called doas: 'ldap' is not in " + passwd_ +
                                   "; unset DOAS_USER to run the program as root");
  }
  std::optional<Caller> ldap =
      find({"DOAS_USER=ldap", "HOME=/root"}, called_by(5000, {"HOME=/net/ldap"}, Tool::doas));
  ASSERT_TRUE(ldap);
  EXPECT_EQ(*ldap, (Caller{5000, 7, "ldap", {7}, {"HOME=/net/ldap"}, true}));
}

TEST_F(CallerTest, OfSudoAndDoasTheParentCounts) {
  const Environment both{"SUDO_UID=1000", "SUDO_GID=1000", "SUDO_USER=alice", "DOAS_USER=bob"};
  EXPECT_EQ(find(both)->name, "alice");
  EXPECT_EQ(find(both, called_by(1000, {}))->name, "alice");
  EXPECT_EQ(find(both, called_by(1001, {}, Tool::doas))->name, "bob");
  // bob called sudo in alice's doas, and sudo executed bpftrap directly.
  const Environment inner{"SUDO_UID=1001", "SUDO_GID=100", "SUDO_USER=bob"};
  std::optional<Caller> bob = find(inner, called_by(1000, {"LD_PRELOAD=evil"}, Tool::doas));
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->name, "bob");
  EXPECT_FALSE(find_variable(bob->environment, "LD_PRELOAD"));
  // Of one user, too, the environment of one tool is not that of the other.
  EXPECT_FALSE(find({"DOAS_USER=bob"}, called_by(1001, {"X=1"}))->environment_received);
  EXPECT_FALSE(find(inner, called_by(1001, {"X=1"}, Tool::doas))->environment_received);
}

TEST_F(CallerTest, EnvironmentIsAsSudoReceivedIt) {
  const Environment own{"PATH=/sbin",
                        "HOME=/root",
                        "SUDO_UID=1000",
                        "SUDO_GID=1000",
                        "SUDO_USER=alice",
                        "SUDO_COMMAND=x",
                        "MAIL=/var/root",
                        "TERM=unknown",
                        "SHELL=/bin/bash",
                        "LANG=C",
                        "BAR=2",
                        "LD_PRELOAD=sudo_noexec.so",
                        "XDG_RUNTIME_DIR=/run/user/0"};
  SudoProcess sudo =
      called_by(1000, {"PATH=/opt/bin:/bin", "CI=yes", "HOME=/tmp/h", "LANG=de_DE", "SUDO_PS1=x"});
  std::optional<Caller> alice = find(own, sudo);
  ASSERT_TRUE(alice);
  EXPECT_TRUE(alice->environment_received);
  EXPECT_EQ(alice->environment, (bpftrap::Environment{"PATH=/opt/bin:/bin", "CI=yes", "HOME=/tmp/h",
                                                      "LANG=de_DE", "SUDO_PS1=x", "BAR=2"}));
  EXPECT_EQ(alice->groups, (Groups{1000, 10, 100, 998})) << "of the file";
  sudo.caller_groups = Groups{27, 1000, 4};
  EXPECT_EQ(find(own, sudo)->groups, (Groups{1000, 27, 4}));
}

TEST_F(CallerTest, VariablesOfTheCommandLineOfSudoReplaceTheCallers) {
  SudoProcess sudo = called_by(1000, {"LANG=de_DE", "PATH=/bin", "X=1", "X=2"});
  sudo.words = {"sudo", "-n", "LANG=C", "X=3", "env", "PATH=/opt", "GONE=1"};
  EXPECT_EQ(look_up("1000", "1000", "alice")->environment_received, false);
  EXPECT_EQ(
      find({"SUDO_UID=1000", "SUDO_GID=1000", "SUDO_USER=alice", "LANG=C", "X=3", "PATH=/opt"},
           sudo)
          ->environment,
      (bpftrap::Environment{"LANG=C", "X=3", "PATH=/opt"}));
}

TEST_F(CallerTest, EnvironmentOfAnotherCallerIsNotUsed) {
  // sudo, called by bob as root, executed bpftrap directly: the parent is alice's sudo -u bob.
  const SudoProcess of_alice = called_by(1000, {"LD_PRELOAD=evil", "PATH=/evil"});
  for (const char* uid : {"0", "1001"}) {
    std::optional<Caller> caller = find(
        {std::string("SUDO_UID=") + uid, "SUDO_GID=0", "SUDO_USER=bob", "PATH=/bin"}, of_alice);
    ASSERT_TRUE(caller);
    EXPECT_FALSE(caller->environment_received);
    EXPECT_EQ(find_variable(caller->environment, "PATH"), "/bin");
    EXPECT_FALSE(find_variable(caller->environment, "LD_PRELOAD"));
  }
}

TEST_F(CallerTest, OwnEnvironmentIsMadeThatOfTheUser) {
  Environment own{"PATH=/bin",    "HOME=/root",      "USER=root",         "SUDO_COMMAND=x",
                  "LOGNAME=root", "SHELL=/bin/bash", "HOMEPAGE=http://x", "USERS=SUDO_UID=1",
                  "MAIL=/root",   "USERNAME=root"};
  EXPECT_EQ(
      look_up("1000", "1000", "alice", own)->environment,
      (bpftrap::Environment{"PATH=/bin", "HOMEPAGE=http://x", "USERS=SUDO_UID=1",
                            "HOME=/home/alice", "LOGNAME=alice", "USER=alice", "SHELL=/bin/zsh"}));
  EXPECT_EQ(find_variable(look_up("1001", "100", "bob", own)->environment, "SHELL"), "/bin/bash");
}

}  // namespace
}  // namespace bpftrap
