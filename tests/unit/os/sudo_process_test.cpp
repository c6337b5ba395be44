// SPDX-License-Identifier: GPL-2.0-only
// core/os/sudo_process.h on a /proc that the test makes.
#include "core/os/sudo_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace bpftrap {
namespace {

using Tool = SudoProcess::Tool;
using namespace std::string_literals;

class SudoProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can make files of root";
    }
    std::filesystem::create_directory(directory_ + "/self");
    write("self/cmdline", "bpftrap\0exec\0"s);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
  }
  // An executable of that name.
  std::string executable(const std::string& name) const {
    write(name, "");
    ::chmod((directory_ + "/" + name).c_str(), 04755);
    return directory_ + "/" + name;
  }
  void process(int pid, int parent, const std::string& exe, const std::string& uids,
               const std::string& groups) const {
    std::string own = std::to_string(pid);
    std::filesystem::create_directory(directory_ + "/" + own);
    std::filesystem::create_symlink(exe, directory_ + "/" + own + "/exe");
    write(own + "/status", "Name:\tx\nPPid:\t" + std::to_string(parent) + "\nUid:\t" + uids +
                               "\nGid:\t7\t0\t0\t0\nFDSize:\t64\nGroups:\t" + groups +
                               " \nNStgid:\t1\n");
    write(own + "/environ", "PATH=/opt\0EMPTY=\0\0odd\0"s);
    write(own + "/cmdline", "sudo\0BAR=2\0bpftrap\0exec\0"s);
  }
  std::optional<SudoProcess> look(int pid) const { return sudo_process(pid, directory_); }

  const std::string directory_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "bpftrap-sudo-process.XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
};

TEST_F(SudoProcessTest, TellsWhatItReceived) {
  process(20, 10, executable("sudo"), "1000\t0\t0\t0", "0");
  process(10, 1, "/bin/sh", "1000\t1000\t1000\t1000", "4 27 1000");
  std::optional<SudoProcess> sudo = look(20);
  ASSERT_TRUE(sudo);
  EXPECT_EQ(sudo->tool, Tool::sudo);
  EXPECT_EQ(sudo->uid, 1000U);
  EXPECT_EQ(sudo->gid, 7U);
  EXPECT_EQ(sudo->environment, (Environment{"PATH=/opt", "EMPTY=", "", "odd"}));
  EXPECT_EQ(sudo->words, (std::vector<std::string>{"sudo", "BAR=2"}));
  EXPECT_EQ(sudo->caller_groups, (std::vector<gid_t>{4, 27, 1000}));
}

TEST_F(SudoProcessTest, CallerIsAboveTheMonitor) {
  std::string exe = executable("sudo");
  process(30, 20, exe, "1000\t0\t0\t0", "0");
  process(20, 10, exe, "1000\t0\t0\t0", "0");
  process(10, 1, "/bin/sh", "1000\t1000\t1000\t1000", "");
  EXPECT_EQ(look(30)->caller_groups, std::vector<gid_t>{});
}

TEST_F(SudoProcessTest, GroupsOfAnotherUserAreNotTheCallers) {
  process(20, 10, executable("sudo"), "1000\t0\t0\t0", "0");
  EXPECT_FALSE(look(20)->caller_groups) << "the caller has ended";
  process(10, 1, "/bin/sh", "0\t0\t0\t0", "0 1 2");
  EXPECT_FALSE(look(20)->caller_groups);
}

TEST_F(SudoProcessTest, NamesOfTheTools) {
  int pid = 20;
  const std::pair<const char*, std::optional<Tool>> names[] = {
      {"sudo", Tool::sudo},  {"sudo-rs", Tool::sudo}, {"sudo.ws", Tool::sudo},
      {"doas", Tool::doas},  {"su", std::nullopt},    {"sudoedit2", std::nullopt},
      {"bash", std::nullopt}};
  for (const auto& [name, tool] : names) {
    process(++pid, 1, executable(name), "1000\t0\t0\t0", "");
    std::optional<SudoProcess> found = look(pid);
    EXPECT_EQ(found ? std::optional(found->tool) : std::nullopt, tool) << name;
  }
}

TEST_F(SudoProcessTest, ProcessThatOnlyLooksLikeSudoIsNone) {
  std::string exe = executable("sudo");
  process(20, 1, exe, "1000\t0\t0\t0", "");
  ASSERT_TRUE(look(20));
  ASSERT_EQ(::chown(exe.c_str(), 1000, 0), 0);
  EXPECT_FALSE(look(20)) << "another user's file";
  ASSERT_EQ(::chown(exe.c_str(), 0, 0), 0);
  ::chmod(exe.c_str(), 04775);
  EXPECT_FALSE(look(20)) << "a file that others may write";
  ::chmod(exe.c_str(), 04755);
  process(21, 1, exe, "1000\t1000\t1000\t1000", "");
  EXPECT_FALSE(look(21)) << "not with root's rights";
  process(22, 1, directory_ + "/missing", "1000\t0\t0\t0", "");
  EXPECT_FALSE(look(22));
  EXPECT_FALSE(look(99)) << "no such process";
}

}  // namespace
}  // namespace bpftrap
