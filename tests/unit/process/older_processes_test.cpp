// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/older_processes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <vector>

#include "core/os/timer.h"

namespace bpftrap {
namespace {

using namespace std::literals;

// A directory with the layout of /proc.
class OlderProcessesTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "bpftrap-proc-" + std::to_string(::getpid());
    std::filesystem::create_directories(path_);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string directory(int pid) const { return path_ + "/" + std::to_string(pid); }
  void add(int pid, const std::string& name, std::uint64_t flags, std::string_view cmdline) {
    add_stat(pid, name, flags);
    std::ofstream(directory(pid) + "/cmdline", std::ios::binary) << cmdline;
  }
  void add_stat(int pid, const std::string& name, std::uint64_t flags) {
    std::filesystem::create_directories(directory(pid));
    std::ofstream(directory(pid) + "/stat") << pid << " (" << name << ") S 1 1 1 0 -1 " << flags
                                            << " 0 0 0 0 0 0 0 0 20 0 1 0 1234 1000 10 0 0\n";
  }
  // A process whose command line makes its reader wait: nobody writes to the FIFO.
  void add_stuck(int pid) {
    add_stat(pid, "stuck", 0);
    ASSERT_EQ(::mkfifo((directory(pid) + "/cmdline").c_str(), 0600), 0);
  }
  // Lets the reader of that process go on.
  void unblock(int pid) { std::ofstream(directory(pid) + "/cmdline") << "late"; }

  // Runs the loop until so many processes were taken, or for this long.
  std::size_t read(std::size_t count, std::chrono::nanoseconds time = 10s) {
    EventLoop loop;
    std::size_t taken = 0;
    Timer timer;
    loop.watch(timer.fd(), 1, [&](std::uint32_t) { loop.stop(); });
    timer.arm(time);
    OlderProcesses older(loop, path_,
                         {[] { ++confined_; },
                          [&](OlderProcess&&) {
                            if (++taken == count) {
                              loop.stop();
                            }
                          }});
    loop.run();
    return taken;
  }

  std::string path_;
  static std::atomic<int> confined_;  // a thread may outlive the test
};

std::atomic<int> OlderProcessesTest::confined_{0};

TEST_F(OlderProcessesTest, ArgumentsAndStart) {
  add(70, "a) S 9 (b", 0x400000, "prog\0arg\0"sv);
  auto process = read_older_process(directory(70), 70);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->local_pid, 70U);
  EXPECT_EQ(process->start_ticks, 1234U);
  EXPECT_EQ(process->line.args, "prog\0arg\0"s);
  EXPECT_FALSE(process->line.truncated);
  EXPECT_EQ(process->line.filename, std::nullopt);
}

TEST_F(OlderProcessesTest, ForkedOnlyKernelThreadsAndZombiesHaveNone) {
  add(70, "fork", 0x40, "parent\0"sv);
  add(71, "kthread", 0x200000, "");
  add(72, "zombie", 0, "");
  for (int pid = 70; pid <= 73; ++pid) {
    EXPECT_FALSE(read_older_process(directory(pid), static_cast<Pid>(pid))) << pid;
  }
}

TEST_F(OlderProcessesTest, TitlesGetANulAndLongOnesAreCut) {
  add(70, "title", 0, "nginx: worker");
  EXPECT_EQ(read_older_process(directory(70), 70)->line.args, "nginx: worker\0"s);
  add(71, "long", 0, std::string(40'000, 'x'));
  auto process = read_older_process(directory(71), 71);
  EXPECT_EQ(process->line.args->size(), 32'768U);
  EXPECT_TRUE(process->line.truncated);
}

TEST_F(OlderProcessesTest, AllOfThemAreTakenOnce) {
  for (int pid = 1; pid <= 300; ++pid) {
    add(pid, "x", 0, "x\0"sv);
  }
  confined_ = 0;
  EXPECT_EQ(read(301, 500ms), 300U);
  EXPECT_EQ(confined_, OlderProcesses::threads);
}

TEST_F(OlderProcessesTest, AProcessThatMakesItsReaderWaitDelaysNoOther) {
  for (int pid = 1; pid < OlderProcesses::threads; ++pid) {
    add_stuck(pid);
  }
  for (int pid = 100; pid < 200; ++pid) {
    add(pid, "x", 0, "x\0"sv);
  }
  EXPECT_EQ(read(100), 100U);
  for (int pid = 1; pid < OlderProcesses::threads; ++pid) {
    unblock(pid);  // else the threads would wait until the tests end
  }
}

}  // namespace
}  // namespace bpftrap
