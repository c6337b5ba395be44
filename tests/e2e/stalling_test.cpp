// SPDX-License-Identifier: GPL-2.0-only
// bpftrap waits neither for a process that it reads about, nor for the reader of its messages or of
// its records.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/stuck_memory.h"
#include "e2e/tiny_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;
using StuckProcessTest = TracingTest;

// A signal ends bpftrap within this time.
constexpr std::uint64_t bound = 10'000'000'000;

std::size_t threads_of(pid_t pid) {
  for (const std::string& line : lines_of_file("/proc/" + std::to_string(pid) + "/status")) {
    if (line.rfind("Threads:\t", 0) == 0) {
      return std::stoul(line.substr(9));
    }
  }
  return 0;
}

// True if reading this file takes longer than half a second.
bool makes_wait(const std::string& path) {
  Child reader([&] {
    lines_of_file(path);
    return 0;
  });
  sleep_for(500ms);
  return threads_of(reader.pid()) != 0 &&
         !lines_of_file("/proc/" + std::to_string(reader.pid()) + "/cmdline").empty();
}

// bpftrap reports ends, knows older command lines and obeys a signal.
void expect_to_go_on(const Words& command, std::size_t threads_left) {
  SCOPED_TRACE(testing::PrintToString(command));
  Child older([] { return exec_self({"pause"}); });
  sleep_for(100ms);
  Bpftrap bpftrap(command);
  bpftrap.await_start();
  for (int i = 0; i < 10'000 && threads_of(bpftrap.pid()) > threads_left; ++i) {
    sleep_for(1ms);
  }
  EXPECT_LE(threads_of(bpftrap.pid()), threads_left);
  Ended process = run_workload({"sleep", "20"});
  bpftrap.await([&] { return !bpftrap.records_of(process, "exit").empty(); });
  older.kill(SIGKILL);
  Ended ended = older.wait();
  bpftrap.await([&] { return !bpftrap.records_of(ended, "exit").empty(); });
  EXPECT_EQ(bpftrap.record_of(ended, "exit").strings("args"),
            (Words{self_path(), "--workload", "pause"}));
  std::uint64_t asked = boot_ns_now();
  EXPECT_EQ(bpftrap.stop(SIGTERM), 0) << bpftrap.errors();
  EXPECT_LE(boot_ns_now() - asked, bound);
}

TEST_F(StuckProcessTest, APageThatNeverArrivesIsNotRead) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount FUSE";
  }
  StuckMemory stuck("page");
  if (!stuck.missing().empty()) {
    GTEST_SKIP() << stuck.missing();
  }
  EXPECT_FALSE(makes_wait("/proc/" + std::to_string(stuck.pid()) + "/cmdline"));
  expect_to_go_on({"exit", "--json"}, 1);
  expect_to_go_on({"exec", "--json", "--min-duration", "10ms"}, 1);
}

TEST_F(StuckProcessTest, AProcessThatLocksItsMemoryHoldsNobodyUp) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount FUSE";
  }
  StuckMemory stuck("lock");
  if (!stuck.missing().empty()) {
    GTEST_SKIP() << stuck.missing();
  }
  if (!makes_wait("/proc/" + std::to_string(stuck.pid()) + "/cmdline")) {
    GTEST_SKIP() << "on this kernel no process can hold up who reads its command line";
  }
  expect_to_go_on({"exit", "--json"}, 2);
}

// A pipe that is full, and that nobody reads unless the test does.
class FullPipe {
 public:
  FullPipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) {
      throw Failure("cannot create a pipe");
    }
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;
  ~FullPipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  void fill() {
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string page(4096, 'x');
    while (::write(ends_[1], page.data(), page.size()) > 0) {
    }
    ::fcntl(ends_[1], F_SETFL, 0);
  }
  // Returns its content.
  std::string take() {
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string text;
    char buffer[65536];
    for (ssize_t size; (size = ::read(ends_[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  // Waits until something is written, and does not take it.
  void await_content() const {
    pollfd ready{ends_[0], POLLIN, 0};
    ::poll(&ready, 1, 60'000);
  }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  bool writer_blocks() const { return (::fcntl(ends_[1], F_GETFL) & O_NONBLOCK) == 0; }

 private:
  int ends_[2];
};

// Takes a pipe's content slowly, from now on: a page every few milliseconds.
class SlowReader {
 public:
  explicit SlowReader(int fd) : thread_([this, fd] { read(fd); }) {}
  ~SlowReader() { end(); }

  // Returns everything. Call it when the writer has ended.
  std::string end() {
    if (thread_.joinable()) {
      ended_ = true;
      thread_.join();
    }
    return text_;
  }

 private:
  void read(int fd) {
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    char page[4096];
    while (true) {
      bool ended = ended_;
      ssize_t size = ::read(fd, page, sizeof page);
      if (size > 0) {
        text_.append(page, static_cast<std::size_t>(size));
      } else if (ended) {
        return;
      }
      if (!ended) {
        sleep_for(10ms);
      }
    }
  }

  std::string text_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class StalledReaderTest : public TinyProgramTest {
 protected:
  // Makes records that the reader of `output` does not take. Returns the time after that.
  std::uint64_t storm_behind(FullPipe& output, std::size_t processes) {
    output.await_content();
    EXPECT_EQ(make_storm(processes, tiny_).started, processes);
    sleep_for(100ms);
    return boot_ns_now();
  }
};

TEST_F(StalledReaderTest, MessagesDelayNoRecordAndNoSignal) {
  FullPipe errors;
  errors.fill();
  Bpftrap bpftrap({"exec", "--json", "--verbose", "--summary", "--user", storm_user},
                  {.before_exec = [&] { ::dup2(errors.writer(), STDERR_FILENO); }});
  bpftrap.await_start();
  for (int i = 0; i < 3; ++i) {
    Ended process = Child([&] {
                      ::setresuid(storm_uid, storm_uid, storm_uid);
                      return exec_argv(tiny_, {"tiny"});
                    }).wait();
    bpftrap.await([&] { return bpftrap.records_of(process).size() == 2; });
  }
  std::uint64_t asked = boot_ns_now();
  EXPECT_EQ(bpftrap.stop(SIGTERM), 0);
  EXPECT_LE(boot_ns_now() - asked, bound);
  EXPECT_TRUE(errors.writer_blocks()) << "other writers share the open file";
}

TEST_F(StalledReaderTest, MessagesArriveWhenTheyAreReadAtLast) {
  FullPipe errors;
  errors.fill();
  Bpftrap bpftrap({"exec", "--json", "--summary", "--user", storm_user},
                  {.before_exec = [&] { ::dup2(errors.writer(), STDERR_FILENO); }});
  bpftrap.await_start();
  make_storm(2, tiny_);
  ::kill(bpftrap.pid(), SIGTERM);
  sleep_for(300ms);
  std::string text = errors.take();
  EXPECT_EQ(bpftrap.wait(), 0);
  text += errors.take();
  EXPECT_NE(text.find("COMM"), std::string::npos) << "the summary was dropped";
}

TEST_F(StalledReaderTest, FirstSignalEndsItAndItSaysHowMuchIsNotWritten) {
  FullPipe output;
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user}, {.stdout_fd = output.writer()});
  constexpr std::size_t processes = 400;
  std::uint64_t asked = storm_behind(output, processes);
  EXPECT_EQ(bpftrap.stop(SIGTERM), 1);
  EXPECT_LE(boot_ns_now() - asked, bound);
  std::string text = output.take();
  auto whole = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  std::size_t missing = 2 * processes + 2 - whole;  // with start and stop
  EXPECT_GT(whole, 0U);
  EXPECT_EQ(bpftrap.errors(), "bpftrap: stopped while the reader of the output was stalled; " +
                                  std::to_string(missing) + " lines of output not written\n");
}

// It takes longer than a reader that stalls would have.
TEST_F(StalledReaderTest, SlowReaderGetsEveryLineAfterASignal) {
  FullPipe output;
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user}, {.stdout_fd = output.writer()});
  constexpr std::size_t processes = 600;
  std::uint64_t asked = storm_behind(output, processes);
  SlowReader reader(output.reader());
  EXPECT_EQ(bpftrap.stop(SIGTERM), 0) << bpftrap.errors();
  EXPECT_GE(boot_ns_now() - asked, 2'100'000'000U) << "the bound of a reader that stalls is 2 s";
  std::string text = reader.end();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 * processes + 2);
  EXPECT_EQ(bpftrap.errors(), "");
}

// bpftrap waits for the reader, not PROGRAM.
TEST_F(StalledReaderTest, StatusOfProgramIsThereWhenTheReaderGoesOn) {
  FullPipe output;
  output.fill();
  Bpftrap bpftrap({"exec", "--json", "--", tiny_}, {.stdout_fd = output.writer()});
  sleep_for(500ms);
  ASSERT_EQ(threads_of(bpftrap.pid()), 1U) << "without a signal it waits for the reader";
  SlowReader reader(output.reader());
  EXPECT_EQ(bpftrap.wait(), 7);
  std::string text = reader.end();
  text.erase(0, text.find_first_not_of('x'));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
}

TEST_F(StalledReaderTest, LinesOfProgramThatAreNotWrittenAreAFailure) {
  FullPipe output;
  output.fill();
  Bpftrap bpftrap({"exec", "--json", "--", tiny_}, {.stdout_fd = output.writer()});
  sleep_for(500ms);
  std::uint64_t asked = boot_ns_now();
  EXPECT_EQ(bpftrap.stop(SIGTERM), 125);
  EXPECT_LE(boot_ns_now() - asked, bound);
  EXPECT_EQ(bpftrap.errors(),
            "bpftrap: stopped while the reader of the output was stalled; 4 lines of output not "
            "written\n");
}

TEST_F(StalledReaderTest, SecondSignalEndsItAtOnce) {
  FullPipe output;
  output.fill();
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--timeout", "10ms"},
                  {.stdout_fd = output.writer()});
  sleep_for(500ms);
  std::uint64_t asked = boot_ns_now();
  ::kill(bpftrap.pid(), SIGINT);
  sleep_for(50ms);
  EXPECT_EQ(bpftrap.stop(SIGTERM), 1);
  EXPECT_LE(boot_ns_now() - asked, 1'900'000'000U) << "the first one alone takes 2 s";
}

TEST_F(StalledReaderTest, SignalAfterATimeoutEndsItToo) {
  FullPipe output;
  output.fill();
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "--timeout", "10ms"},
                  {.stdout_fd = output.writer()});
  sleep_for(500ms);
  EXPECT_EQ(threads_of(bpftrap.pid()), 1U) << "without a signal it waits for the reader";
  std::uint64_t asked = boot_ns_now();
  EXPECT_EQ(bpftrap.stop(SIGTERM), 1);
  EXPECT_LE(boot_ns_now() - asked, bound);
}

}  // namespace
}  // namespace e2e
