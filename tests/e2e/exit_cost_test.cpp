// SPDX-License-Identifier: GPL-2.0-only
// The cost of processes: `exit` records compared with wait4()'s rusage, /proc, and the processes'
// own measurements.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using ExitCostTest = TracingTest;

struct Traced {
  Ended process;
  Record exit;
};
Traced trace(const std::function<int()>& body) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended process = Child(body).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(process.status, 0);
  return {process, bpftrap.record_of(process, "exit")};
}

std::int64_t to_ns(const timeval& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_usec * 1'000LL;
}

std::int64_t cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void burn_user(std::int64_t ns) {
  for (std::int64_t end = cpu_ns() + ns; cpu_ns() < end;) {
    for (int i = 0; i < 100'000; ++i) {
      [[maybe_unused]] volatile int work = i;
    }
  }
}

void* touch(std::size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::madvise(memory, size, MADV_NOHUGEPAGE);
  std::memset(memory, 1, size);
  return memory;
}

void burn_system(std::int64_t ns) {
  constexpr std::size_t size = 4 << 20;
  for (std::int64_t end = cpu_ns() + ns; cpu_ns() < end;) {
    ::munmap(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),
             size);
  }
}

TEST_F(ExitCostTest, DurationIsFromForkToEnd) {
  SharedWords words;
  Traced traced = trace([&] {
    sleep_for(std::chrono::milliseconds(70));
    words[0] = boot_ns_now();
    return 0;
  });
  const Ended& process = traced.process;
  EXPECT_GE(traced.exit.start_ns(), process.before_fork);
  EXPECT_LE(traced.exit.start_ns(), process.after_fork);
  EXPECT_GE(traced.exit.number("boot_ns"), words[0]);
  EXPECT_LE(traced.exit.number("boot_ns"), process.after_end);
  EXPECT_EQ(traced.exit.number("duration_ns"),
            traced.exit.number("boot_ns") - traced.exit.start_ns());
}

TEST_F(ExitCostTest, MemoryAndFaultsAreThoseOfWait4) {
  for (std::size_t size : {std::size_t{0}, std::size_t{3} << 20, std::size_t{40} << 20}) {
    Traced traced = trace([&] {
      if (size > 0) {
        ::munmap(touch(size), size);  // the largest size counts, not the last one
      }
      return 0;
    });
    const rusage& usage = traced.process.usage;
    EXPECT_EQ(traced.exit.number("max_rss_bytes"),
              static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
    EXPECT_GE(traced.exit.number("max_rss_bytes"), size);
    EXPECT_EQ(traced.exit.number("minor_faults"), static_cast<std::uint64_t>(usage.ru_minflt));
    EXPECT_EQ(traced.exit.number("major_faults"), static_cast<std::uint64_t>(usage.ru_majflt));
    EXPECT_GE(traced.exit.number("minor_faults"), size / 4096);
  }
}

// After its record, a process still frees its memory, where it may be interrupted, and leaves its
// CPU for the last time. wait4() may or may not count these switches.
TEST_F(ExitCostTest, SwitchesAreThoseOfWait4) {
  Traced traced = trace([] {
    for (int i = 0; i < 50; ++i) {
      sleep_for(std::chrono::milliseconds(1));
    }
    return 0;
  });
  auto voluntary = static_cast<long>(traced.exit.number("voluntary_switches"));
  auto involuntary = static_cast<long>(traced.exit.number("involuntary_switches"));
  EXPECT_GE(voluntary, 40);  // with slow interrupts a sleep can be over before it begins
  EXPECT_LE(voluntary, traced.process.usage.ru_nvcsw);
  EXPECT_GE(voluntary, traced.process.usage.ru_nvcsw - 5);
  EXPECT_LE(involuntary, traced.process.usage.ru_nivcsw);
  EXPECT_GE(involuntary, traced.process.usage.ru_nivcsw - 5);
}

// The kernel updates a thread's run time at each timer tick and when the thread leaves its CPU. A
// record therefore estimates the time since the last tick, at most 10 ms (CONFIG_HZ of 100). It
// also estimates the time for freeing memory, which is short here.
constexpr std::int64_t tick_ns = 10'000'000;
std::int64_t rest_ns() {
  return 5'000'000 * std::max<std::int64_t>(1, patience.count() / 60);
}
// The ratio of ticks divides the time into user and system time. One more tick changes the ratio.
constexpr std::int64_t share_ns = 3 * tick_ns;

void expect_cpu(const Record& exit, const rusage& usage) {
  auto user = static_cast<std::int64_t>(exit.number("cpu_user_ns"));
  auto system = static_cast<std::int64_t>(exit.number("cpu_sys_ns"));
  std::int64_t expected_user = to_ns(usage.ru_utime);
  std::int64_t expected_system = to_ns(usage.ru_stime);
  EXPECT_LE(user + system, expected_user + expected_system + rest_ns());
  EXPECT_GE(user + system, expected_user + expected_system - tick_ns - rest_ns());
  EXPECT_NEAR(user, expected_user, share_ns);
  EXPECT_NEAR(system, expected_system, share_ns);
}

TEST_F(ExitCostTest, CpuTimeIsThatOfWait4) {
  for (auto [user, system] :
       {std::pair(200'000'000, 0), {0, 200'000'000}, {150'000'000, 80'000'000}}) {
    Traced traced = trace([user = user, system = system] {
      burn_user(user);
      burn_system(system);
      return 0;
    });
    expect_cpu(traced.exit, traced.process.usage);
    EXPECT_GE(traced.exit.number("cpu_user_ns") + traced.exit.number("cpu_sys_ns") + tick_ns,
              static_cast<std::uint64_t>(user + system));
  }
}

TEST_F(ExitCostTest, CpuTimeOfThreadsThatEndedBeforeCounts) {
  Traced traced = trace([] {
    for (int i = 0; i < 4; ++i) {
      pthread_t thread{};
      ::pthread_create(
          &thread, nullptr,
          [](void*) -> void* {
            burn_user(40'000'000);
            touch(1 << 20);
            return nullptr;
          },
          nullptr);
      if (i < 3) {
        ::pthread_join(thread, nullptr);
      } else {
        burn_user(40'000'000);  // one thread still runs at the end
      }
    }
    return 0;
  });
  expect_cpu(traced.exit, traced.process.usage);
  EXPECT_GE(traced.exit.number("cpu_user_ns") + traced.exit.number("cpu_sys_ns") + tick_ns,
            160'000'000U);
  EXPECT_GE(traced.exit.number("minor_faults"), 3U * 256);
}

TEST_F(ExitCostTest, ChildrenThatItWaitedForDoNotCount) {
  SharedWords words;
  Traced traced = trace([&] {
    Ended child = Child([] {
                    touch(30 << 20);
                    burn_user(150'000'000);
                    return 0;
                  }).wait();
    rusage own{};
    ::getrusage(RUSAGE_SELF, &own);
    words[0] = static_cast<std::uint64_t>(own.ru_maxrss) * 1024;
    words[1] = static_cast<std::uint64_t>(own.ru_minflt);
    return child.status;
  });
  EXPECT_GE(to_ns(traced.process.usage.ru_utime) + to_ns(traced.process.usage.ru_stime),
            150'000'000);  // wait4() adds the children's time
  EXPECT_LE(traced.exit.number("cpu_user_ns") + traced.exit.number("cpu_sys_ns"), 100'000'000U);
  EXPECT_LT(traced.exit.number("max_rss_bytes"), words[0] + (std::uint64_t{15} << 20));
  EXPECT_GE(traced.exit.number("max_rss_bytes"), words[0]);
  EXPECT_NEAR(static_cast<double>(traced.exit.number("minor_faults")),
              static_cast<double>(words[1]), 20);
}

std::uint64_t own_io(const char* name) {
  std::ifstream file("/proc/self/io");
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == name) {
      return value;
    }
  }
  return 0;
}

TEST_F(ExitCostTest, StorageIoIsThatOfProc) {
  ScratchDir scratch;
  SharedWords words;
  Traced traced = trace([&] {
    int fd = ::open((scratch / "data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    std::string data(1 << 20, 'x');
    ssize_t size = ::write(fd, data.data(), data.size());
    ::fsync(fd);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    size -= ::pread(fd, data.data(), data.size(), 0);
    words[0] = own_io("read_bytes:");
    words[1] = own_io("write_bytes:");
    return size == 0 ? 0 : 1;
  });
  if (::access("/proc/self/io", F_OK) != 0) {
    EXPECT_TRUE(traced.exit.is_null("io_read_bytes"));
    EXPECT_TRUE(traced.exit.is_null("io_write_bytes"));
    GTEST_SKIP() << "this kernel does not count storage I/O (CONFIG_TASK_IO_ACCOUNTING)";
  }
  EXPECT_EQ(traced.exit.number("io_read_bytes"), words[0]);
  EXPECT_EQ(traced.exit.number("io_write_bytes"), words[1]);
  if (words[1] < 1 << 20) {
    GTEST_SKIP() << "all values equal /proc, but " << scratch.path() << " is not on storage";
  }
}

TEST_F(ExitCostTest, ProcessThatExecutedNothingHasNoCommandLine) {
  Traced traced = trace([] { return 0; });
  EXPECT_TRUE(traced.exit.is_null("filename"));
  EXPECT_TRUE(traced.exit.is_null("args"));
}

TEST_F(ExitCostTest, OlderProcessHasItsCommandLineAndDuration) {
  std::vector<std::string> argv{"old", "", "with space", "\xff"};
  Gate gate;
  std::vector<Child> children;
  children.emplace_back([&] { return exec_argv(self_path(), argv, "pause"); });
  children.emplace_back([] { return exec_self({"pause", "2000"}); });
  children.emplace_back([&] {
    gate.wait();
    return 0;
  });
  sleep_for(std::chrono::milliseconds(200));
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  bpftrap.keep_reading(std::chrono::seconds(2));  // /proc is read in the background
  gate.open();
  ::kill(children[0].pid(), SIGTERM);
  ::kill(children[1].pid(), SIGTERM);
  Ended forked = children[2].wait();
  Ended with_argv = children[0].wait();
  Ended with_name = children[1].wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record exit = bpftrap.record_of(with_argv, "exit");
  EXPECT_TRUE(exit.is_null("filename")) << "/proc does not show it";
  argv[3] = "\xEF\xBF\xBD";
  EXPECT_EQ(exit.strings("args"), argv);
  EXPECT_GE(exit.number("duration_ns"), 2'200'000'000U);
  EXPECT_EQ(exit.text("signal"), "SIGTERM");
  exit = bpftrap.record_of(with_name, "exit");
  EXPECT_EQ(exit.strings("args")[3], "2000");
  exit = bpftrap.record_of(forked, "exit");
  EXPECT_TRUE(exit.is_null("filename"))
      << "/proc shows this test's command line, but the process executed nothing";
  EXPECT_TRUE(exit.is_null("args"));
  EXPECT_GE(exit.number("duration_ns"), 200'000'000U);
}

}  // namespace
}  // namespace e2e
