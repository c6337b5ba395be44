// SPDX-License-Identifier: GPL-2.0-only
// `-- PROGRAM` under sudo: it is the user who called sudo.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "e2e/program_fixture.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

class SudoTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (!IsSkipped() && ::geteuid() != 0) {
      GTEST_SKIP() << "sudo makes root";
    }
  }
};

TEST_F(SudoTest, ItIsTheUserWhoCalledSudo) {
  std::string tiny = write_tiny_program(directory_);
  for (const char* command : {"exec", "exit"}) {
    Bpftrap bpftrap({command, "--json", "--", tiny},
                    {.environment = {"SUDO_UID=54321", "SUDO_GID=54322", "SUDO_USER=e2e-nobody"}});
    EXPECT_EQ(bpftrap.wait(), 7) << bpftrap.errors();
    std::vector<Record> records = traced(bpftrap);
    ASSERT_EQ(records.size(), command[2] == 'e' ? 2U : 1U);
    for (const Record& record : records) {
      EXPECT_EQ(record.number("uid"), 54321U);
      EXPECT_EQ(record.number("gid"), 54322U);
    }
  }
}

TEST_F(SudoTest, WithTheGroupsAndVariablesOfThatUser) {
  std::string copy = directory_ / "program";
  std::filesystem::copy_file(self_path(), copy);
  ::chmod(copy.c_str(), 0755);
  ::chmod(directory_.path().c_str(), 0755);
  gid_t groups[] = {0, 1, 2};
  Bpftrap bpftrap({"exec", "--json", "--", copy, "--workload", "say-user"},
                  {.environment = {"SUDO_UID=54321", "SUDO_GID=54322", "SUDO_USER=e2e-nobody",
                                   "USER=root", "LOGNAME=root", "HOME=/root", "KEPT=yes"},
                   .before_exec = [&] { ::syscall(SYS_setgroups, 3, groups); }});
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.errors(),
            "ids 54321 54321 54322 54322\ngroups 54322\nUSER=e2e-nobody\nLOGNAME=e2e-nobody\n"
            "HOME=/\nSUDO_UID unset\nKEPT=yes\n");
}

TEST_F(SudoTest, WithoutSudoItIsRoot) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"say-user"}), {.environment = {"USER=x"}});
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.errors().rfind("ids 0 0 ", 0), 0U) << bpftrap.errors();
}

TEST_F(SudoTest, IdThatIsNoneIsAnErrorBeforeItIsExecuted) {
  Outcome outcome =
      run_bpftrap(Words{"exec"} + program({"note", notes_, "exit", "0"}),
                  {.environment = {"SUDO_UID=4294967295", "SUDO_GID=1", "SUDO_USER=e2e-nobody"}});
  EXPECT_EQ(outcome.status, 125);
  EXPECT_NE(outcome.errors.find("bpftrap: cannot tell who called sudo"), std::string::npos)
      << outcome.errors;
  EXPECT_TRUE(read_notes(notes_).empty());
}

}  // namespace
}  // namespace e2e
