// SPDX-License-Identifier: GPL-2.0-only
// CPU time of many processes: the sum of their records, and of their last accounts, compared with
// wait4().
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "e2e/bpftrap.h"
#include "e2e/guest.h"

namespace e2e {
namespace {

double seconds(const rusage& usage) {
  auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double seconds(const Record& record) {
  return static_cast<double>(record.number("cpu_user_ns") + record.number("cpu_sys_ns")) / 1e9;
}

class CpuTimeTest : public TracingTest {
 protected:
  // Sums of the trace: by the records of ends, and by the summary.
  struct Sums {
    double records = 0;
    double summary = 0;
  };
  static Sums sums_of(const Bpftrap& bpftrap) {
    Sums sums;
    for (const Record& record : bpftrap.records()) {
      if (record.kind() == "exit") {
        sums.records += seconds(record);
      } else if (record.kind() == "summary" && record.text("of") == "run") {
        sums.summary += seconds(record);
      }
    }
    return sums;
  }

  static void expect_close(const Sums& sums, double wait4) {
    // Emulation makes some 20 ms of each process, and its end slow, which the record estimates.
    EXPECT_NEAR(sums.records / wait4, 1.0, in_guest() ? 0.15 : 0.05) << "of " << wait4 << " s";
    EXPECT_NEAR(sums.summary / wait4, 1.0, 0.02) << "of " << wait4 << " s";
  }

  // Traces a process and all of its descendants, for which it waits.
  static void check_tree(const std::function<int()>& body) {
    Gate gate;
    Child child([&] {
      gate.wait();
      return body();
    });
    Bpftrap bpftrap({"exit", "--json", "--summary", "--tree", std::to_string(child.pid())});
    bpftrap.await_start();
    gate.open();
    // Not reaped at once: its last account comes before the end of the trace.
    Ended ended = child.wait();
    sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(bpftrap.wait(), 0);
    EXPECT_EQ(ended.status, 0);
    expect_close(sums_of(bpftrap), seconds(ended.usage));
  }
};

int run_many(int count, const char* path, const char* argument) {
  for (int i = 0; i < count; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      ::execl(path, path, argument, nullptr);
      ::_exit(127);
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) {
      return 1;
    }
  }
  return 0;
}

TEST_F(CpuTimeTest, OfShortProcesses) {
  if (::access("/bin/true", X_OK) != 0) {
    GTEST_SKIP() << "there is no /bin/true";
  }
  check_tree([] { return run_many(3000, "/bin/true", nullptr); });
}

TEST_F(CpuTimeTest, OfShortProcessesThatSleep) {
  if (::access("/bin/sleep", X_OK) != 0) {
    GTEST_SKIP() << "there is no /bin/sleep";
  }
  check_tree([] { return run_many(500, "/bin/sleep", "0.001"); });
}

TEST_F(CpuTimeTest, OfABuild) {
  if (::access("/usr/bin/make", X_OK) != 0 || ::access("/usr/bin/cc", X_OK) != 0) {
    GTEST_SKIP() << "make and cc are not installed";
  }
  ScratchDir directory;
  std::ofstream makefile(directory / "Makefile");
  makefile << "all:";
  for (int i = 0; i < 40; ++i) {
    makefile << " f" << i << ".o";
    std::ofstream(directory / ("f" + std::to_string(i) + ".c")) << "#include <stdio.h>\nint x;\n";
  }
  makefile << "\n%.o: %.c\n\t@test -f $< && $(CC) -O2 -c -o $@ $<\n";
  makefile.close();
  check_tree([&] {
    ::setenv("PATH", "/usr/bin:/bin", 1);
    return ::execl("/usr/bin/make", "make", "-s", "-j4", "-C", directory.path().c_str(), nullptr);
  });
}

}  // namespace
}  // namespace e2e
