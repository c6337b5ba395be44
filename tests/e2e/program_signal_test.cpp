// SPDX-License-Identifier: GPL-2.0-only
// `-- PROGRAM` and signals: SIGTERM to bpftrap, and Ctrl-C on the terminal of both.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "e2e/program_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

TEST_F(ProgramTest, SigtermEndsItAndIsReported) {
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) {
    Bpftrap bpftrap(Words{"exec", "--json"} + program({"sleep", "20000"}));
    bpftrap.await([&] { return traced(bpftrap).size() == 1; });
    EXPECT_EQ(bpftrap.stop(signal), 128 + signal);
    ASSERT_EQ(traced(bpftrap, "exit").size(), 1U);
    Record exit = traced(bpftrap, "exit").front();
    EXPECT_EQ(exit.maybe_text("signal"), signal == SIGTERM  ? "SIGTERM"
                                         : signal == SIGINT ? "SIGINT"
                                                            : "SIGHUP");
    EXPECT_EQ(exit.maybe_number("killer_pid"), static_cast<std::uint64_t>(bpftrap.pid()));
    EXPECT_EQ(exit.maybe_text("killer_comm"), "bpftrap");
  }
}

TEST_F(ProgramTest, SigtermAtOnceEndsIt) {
  for (int i = 0; i < 5; ++i) {
    Bpftrap bpftrap(Words{"exit", "--json"} + program({"sleep", "20000"}));
    bpftrap.await_start();
    EXPECT_EQ(bpftrap.stop(SIGTERM), 128 + SIGTERM);
    EXPECT_EQ(traced(bpftrap, "exit").size(), 1U);
  }
}

TEST_F(ProgramTest, SigtermEndsAStoppedOne) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"note", notes_, "sleep", "20000"}));
  bpftrap.await([&] { return traced(bpftrap).size() == 2; });
  ::kill(read_notes(notes_).at(0).pid, SIGSTOP);
  EXPECT_EQ(bpftrap.stop(SIGTERM), 128 + SIGTERM);
  EXPECT_EQ(traced(bpftrap, "exit").size(), 1U);
}

TEST_F(ProgramTest, SignalToTheWholeGroupByAProcess) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"sleep", "20000"}),
                  {.before_exec = [] { ::setpgid(0, 0); }});
  bpftrap.await([&] { return traced(bpftrap).size() == 1; });
  ASSERT_EQ(::kill(-bpftrap.pid(), SIGINT), 0);
  EXPECT_EQ(bpftrap.wait(), 128 + SIGINT);
  ASSERT_EQ(traced(bpftrap, "exit").size(), 1U);
  EXPECT_EQ(traced(bpftrap, "exit").front().maybe_text("signal"), "SIGINT");
}

// A terminal with bpftrap as its foreground job.
class Terminal {
 public:
  Terminal() : fd_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    char name[64] = "";
    if (fd_ < 0 || ::grantpt(fd_) != 0 || ::unlockpt(fd_) != 0 ||
        ::ptsname_r(fd_, name, sizeof name) != 0) {
      return;
    }
    path_ = name;
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { ::close(fd_); }

  bool exists() const { return !path_.empty(); }
  // Makes this terminal the controlling terminal of this process and its children.
  void take() const {
    ::setsid();
    int fd = ::open(path_.c_str(), O_RDWR);
    if (::ioctl(fd, TIOCSCTTY, 0) != 0) {
      ::_exit(125);
    }
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  void type(char key) const {
    if (::write(fd_, &key, 1) != 1) {
      throw Failure("cannot write to a terminal");
    }
  }

 private:
  int fd_;
  std::string path_;
};

constexpr char ctrl_c = '\x03';

TEST_F(ProgramTest, CtrlCReachesItOnce) {
  Terminal terminal;
  if (!terminal.exists()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"count-interrupts", notes_}),
                  {.before_exec = [&] { terminal.take(); }});
  Ended self = await_notes(1).front();
  terminal.type(ctrl_c);
  EXPECT_EQ(bpftrap.wait(), 11);
  EXPECT_EQ(bpftrap.record_of(self, "exit").maybe_number("exit_code"), 11U);
}

TEST_F(ProgramTest, CtrlCThatEndsItIsReported) {
  Terminal terminal;
  if (!terminal.exists()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"sleep", "20000"}),
                  {.before_exec = [&] { terminal.take(); }});
  bpftrap.await([&] { return traced(bpftrap).size() == 1; });
  terminal.type(ctrl_c);
  EXPECT_EQ(bpftrap.wait(), 128 + SIGINT);
  ASSERT_EQ(traced(bpftrap, "exit").size(), 1U);
  EXPECT_EQ(traced(bpftrap, "exit").front().maybe_text("signal"), "SIGINT");
  EXPECT_TRUE(traced(bpftrap, "exit").front().is_null("killer_pid"));
}

TEST_F(ProgramTest, CtrlCWhileWaitingForDaemonsEndsBpftrap) {
  Terminal terminal;
  if (!terminal.exists()) {
    GTEST_SKIP() << "no pseudo-terminals";
  }
  Bpftrap bpftrap(Words{"exec", "--json", "--wait-all"} + program({"daemon", notes_, "20000"}),
                  {.before_exec = [&] { terminal.take(); }});
  bpftrap.await([&] { return traced(bpftrap, "exit").size() == 1; });
  sleep_for(100ms);
  std::uint64_t typed = boot_ns_now();
  terminal.type(ctrl_c);
  EXPECT_EQ(bpftrap.wait(), 3);
  EXPECT_LE(boot_ns_now() - typed, 5'000'000'000U);
  ::kill(read_notes(notes_).at(0).pid, SIGKILL);
}

}  // namespace
}  // namespace e2e
