// SPDX-License-Identifier: GPL-2.0-only
// `-- PROGRAM` outlives its records: what ends the trace does not end the run.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "e2e/program_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class ProgramEndTest : public ProgramTest {
 protected:
  Words busy(const std::string& time = "700") const { return program({"busy", notes_, time, "7"}); }

  // PROGRAM came to its end before bpftrap did.
  void expect_to_have_waited() const { EXPECT_EQ(read_notes(notes_).size(), 1U); }
};

TEST_F(ProgramEndTest, CountEndsTheRecordsOnly) {
  for (const char* command : {"exec", "exit"}) {
    Bpftrap bpftrap(Words{command, "--json", "--count", "2"} + busy());
    EXPECT_EQ(bpftrap.wait(), 7) << bpftrap.errors();
    EXPECT_EQ(traced(bpftrap).size(), 2U);
    EXPECT_EQ(bpftrap.records().back().kind(), "stop");
    EXPECT_EQ(bpftrap.errors(), "");
    expect_to_have_waited();
    ::unlink(notes_.c_str());
  }
}

TEST_F(ProgramEndTest, TimeoutEndsTheRecordsOnly) {
  Bpftrap bpftrap(Words{"exec", "--json", "--timeout", "100ms"} + busy());
  bpftrap.await(
      [&] { return !bpftrap.records().empty() && bpftrap.records().back().kind() == "stop"; });
  EXPECT_TRUE(read_notes(notes_).empty()) << "`stop` comes before the end of PROGRAM";
  EXPECT_EQ(bpftrap.wait(), 7);
  expect_to_have_waited();
}

TEST_F(ProgramEndTest, WaitAllDoesNotWaitForDescendantsAfterTheRecords) {
  Bpftrap bpftrap(Words{"exec", "--json", "--wait-all", "--count", "1"} +
                  program({"daemon", notes_, "20000"}));
  EXPECT_EQ(bpftrap.wait(), 3);
  ::kill(await_notes(1).front().pid, SIGKILL);
}

TEST_F(ProgramEndTest, ReaderThatGoesAwayEndsTheRecordsOnly) {
  Bpftrap bpftrap(Words{"exec", "--json"} + busy());
  bpftrap.await_start();
  bpftrap.close_reader();
  EXPECT_EQ(bpftrap.wait(), 7);
  EXPECT_EQ(bpftrap.errors(), "");
  expect_to_have_waited();
}

TEST_F(ProgramEndTest, SignalsAreHandedOnAfterTheRecords) {
  Bpftrap bpftrap(Words{"exec", "--json", "--count", "1"} + program({"count-interrupts", notes_}));
  await_notes(1);
  bpftrap.await([&] { return bpftrap.records().size() == 3; });
  EXPECT_EQ(bpftrap.stop(SIGINT), 11);
}

TEST_F(ProgramEndTest, SecondSignalEndsTheWait) {
  Bpftrap bpftrap(Words{"exec", "--json", "--count", "1"} + program({"count-interrupts", notes_}));
  pid_t pid = await_notes(1).front().pid;
  bpftrap.await([&] { return bpftrap.records().size() == 3; });
  ::kill(bpftrap.pid(), SIGINT);
  sleep_for(50ms);
  EXPECT_EQ(bpftrap.stop(SIGINT), 0);
  EXPECT_EQ(::kill(pid, 0), 0) << "PROGRAM goes on";
}

TEST_F(ProgramEndTest, DiskThatGetsFullIs125AfterItsEnd) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a disk that is small";
  }
  ScratchDir disk;
  std::string path = disk / "records";
  Bpftrap::Setup setup;
  setup.may_lose = true;
  setup.before_exec = [&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", disk.path().c_str(), "tmpfs", 0, "size=16k") != 0) {
      ::_exit(77);
    }
  };
  Bpftrap bpftrap(Words{"exec", "--json", "--output", path} + busy("1000"), setup);
  EXPECT_EQ(bpftrap.wait(), 125);
  EXPECT_EQ(bpftrap.errors(), "bpftrap: cannot write to '" + path +
                                  "' (--output): No space left on device; all earlier records "
                                  "are written\n");
  expect_to_have_waited();
}

TEST_F(ProgramEndTest, DiskThatIsFullAlreadyIs125BeforeItStarts) {
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) {
    GTEST_SKIP() << "there is no /dev/full";
  }
  Bpftrap::Setup setup;
  setup.stdout_fd = full;
  Outcome outcome = run_bpftrap(Words{"exec", "--json"} + busy(), setup);
  ::close(full);
  EXPECT_EQ(outcome.status, 125);
  EXPECT_TRUE(read_notes(notes_).empty());
}

}  // namespace
}  // namespace e2e
