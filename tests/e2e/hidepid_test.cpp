// SPDX-License-Identifier: GPL-2.0-only
// An ordinary user whose bpftrap has file capabilities, on a machine whose /proc hides the
// processes of others.
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "e2e/program_fixture.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

class HidepidTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (!IsSkipped() && ::geteuid() != 0) {
      GTEST_SKIP() << "only root may set file capabilities";
    }
    std::filesystem::copy_file(Bpftrap::binary(), copy_);
    ::chmod(copy_.c_str(), 0755);
    ::chmod(directory_.path().c_str(), 0755);
    vfs_cap_data capabilities{};
    capabilities.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
    capabilities.data[1].permitted = 1U << (CAP_BPF - 32) | 1U << (CAP_PERFMON - 32);
    if (::setxattr(copy_.c_str(), "security.capability", &capabilities, XATTR_CAPS_SZ_2, 0) != 0) {
      GTEST_SKIP() << "this file system has no file capabilities";
    }
  }

  // Executes the copy with these arguments, as the user.
  Bpftrap::Setup hidden(Words args) {
    return {.before_exec = [this, args] {
      rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
      ::setrlimit(RLIMIT_MEMLOCK, &unlimited);  // charged before 5.11
      if (::unshare(CLONE_NEWNS) != 0 ||
          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("proc", "/proc", "proc", 0, "hidepid=2") != 0 ||
          ::syscall(SYS_setgroups, 0, nullptr) != 0 || ::syscall(SYS_setgid, storm_uid) != 0 ||
          ::syscall(SYS_setuid, storm_uid) != 0) {
        std::perror("setup of the test");
        ::_exit(120);
      }
      ExecStrings strings(Words{copy_} + args, "");
      ::execve(copy_.c_str(), strings.argv(), strings.envp());
    }};
  }

  const std::string copy_ = directory_ / "bpftrap-copy";
};

TEST_F(HidepidTest, ProgramIsTraced) {
  std::string tiny = write_tiny_program(directory_);
  for (int i = 0; i < 20; ++i) {
    Words args{"exec", "--json", "--", tiny};
    Bpftrap bpftrap(args, hidden(args));
    ASSERT_EQ(bpftrap.wait(), 7) << bpftrap.errors();
    ASSERT_EQ(traced(bpftrap, "exec").size(), 1U) << bpftrap.errors();
    ASSERT_EQ(traced(bpftrap, "exit").size(), 1U);
    EXPECT_EQ(traced(bpftrap, "exec").front().number("uid"), storm_uid);
  }
}

TEST_F(HidepidTest, ProcessesOfOthersAreFollowed) {
  for (const char* option : {"--pid", "--tree"}) {
    Gate gate;
    Child other([&] {
      gate.wait();
      return exec_self({"exit", "6"});
    });
    Words args{"exec", "--json", option, std::to_string(other.pid())};
    Bpftrap bpftrap(args, hidden(args));
    bpftrap.await_start();
    gate.open();
    Ended process = other.wait();
    bpftrap.await([&] { return !bpftrap.records_of(process, "exit").empty(); });
    bpftrap.stop();
    EXPECT_EQ(traced(bpftrap).size(), 2U);
    bpftrap.record_of(process, "exec");
  }
}

}  // namespace
}  // namespace e2e
