// SPDX-License-Identifier: GPL-2.0-only
// The command line and the memory of an `exit` record are those of the program that ran last.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "e2e/bpftrap.h"
#include "e2e/cgroup.h"
#include "e2e/guest.h"
#include "e2e/namespaces.h"

namespace e2e {
namespace {

using LastExecTest = TracingTest;
using Words = std::vector<std::string>;

TEST_F(LastExecTest, AnExecThatAFilterLeavesOutLeavesNoCommandLine) {
  ScratchDir scratch;
  std::string wanted = scratch / "wanted", other = scratch / "other";
  ASSERT_EQ(::symlink(self_path().c_str(), wanted.c_str()), 0);
  ASSERT_EQ(::symlink(self_path().c_str(), other.c_str()), 0);
  Bpftrap bpftrap({"exec", "--name", "wanted", "--json"});
  bpftrap.await_start();
  Ended then_other = Child([&] {
                       return exec_argv(wanted, {"wanted", other}, "then-path");
                     }).wait();
  Ended then_itself = Child([&] {
                        return exec_argv(wanted, {"wanted", wanted}, "then-path");
                      }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records_of(then_other, "exec").size(), 1U);
  Record exit = bpftrap.record_of(then_other, "exit");
  EXPECT_EQ(exit.text("comm"), "other");
  EXPECT_TRUE(exit.is_null("args")) << "they would be those of another program";
  EXPECT_TRUE(exit.is_null("filename"));
  EXPECT_EQ(bpftrap.records_of(then_itself, "exec").size(), 2U);
  exit = bpftrap.record_of(then_itself, "exit");
  EXPECT_EQ(exit.strings("args"), Words{wanted});
  EXPECT_EQ(exit.text("filename"), wanted);
}

// bpftrap cannot ask whether a process outside its pid namespace still lives.
TEST_F(LastExecTest, EndsThatAreNotReportedLeaveRoomForOthers) {
  std::unique_ptr<Group> group =
      limited_group("/bpftrap-e2e-last-" + std::to_string(::getpid()), std::uint64_t{32} << 20);
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  for (const Words& filter : {Words{"--failed"}, Words{"--min-duration", "10s"}}) {
    SCOPED_TRACE(filter[0]);
    Words words{"exit", "--json", "--event", "exit", "--user", std::to_string(::getuid())};
    words.insert(words.end(), filter.begin(), filter.end());
    Bpftrap bpftrap(words, {.before_exec = [&] {
                      enter_pid_namespace();
                      group->enter();
                    }});
    bpftrap.await_start();
    // Command lines may take 4 MiB: an eighth of the limit.
    constexpr std::size_t processes = 150, size = 60'000;
    for (std::size_t i = 0; i < processes; ++i) {
      int status = Child([] {
                     return exec_argv(self_path(), {"good", std::string(size, 'x')});
                   })
                       .wait()
                       .status;
      ASSERT_EQ(status, 0);
    }
    Ended failed = run_workload({"exit", "3"});
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.errors(), "");
    if (filter[0] == "--failed") {
      EXPECT_EQ(bpftrap.record_of(failed, "exit").strings("args").back(), "3");
    }
  }
}

constexpr std::size_t mib = 1 << 20;

// VmHWM and a per-CPU counter may differ by what each CPU has not added yet, for each of three
// counters: lib/percpu_counter.c compute_batch_value().
std::uint64_t counter_slack() {
  auto cpus = static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  return 3 * std::max<std::uint64_t>(32, 2 * cpus) * cpus *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t high_water(const std::string& file) {
  std::ifstream text(file);
  std::string key;
  std::uint64_t kib = 0;
  text >> key >> kib;
  EXPECT_EQ(key, "VmHWM:");
  return kib * 1024;
}

TEST_F(LastExecTest, PeakIsThatOfTheLastProgram) {
  ScratchDir scratch;
  for (std::size_t before : {0, 80}) {
    for (std::size_t last : {1, 40, 120}) {
      SCOPED_TRACE(std::to_string(before) + " MiB, then " + std::to_string(last) + " MiB");
      std::string file = scratch / "status";
      Bpftrap bpftrap({"exit", "--json"});
      bpftrap.await_start();
      Ended process = Child([&] {
                        std::string memory(before * mib, 'x');
                        return exec_self({"take", std::to_string(last), file});
                      }).wait();
      EXPECT_EQ(bpftrap.stop(), 0);
      ASSERT_EQ(process.status, 0);
      Record exit = bpftrap.record_of(process, "exit");
      std::uint64_t most = exit.number("max_rss_bytes");
      EXPECT_EQ(most, static_cast<std::uint64_t>(process.usage.ru_maxrss) * 1024);
      if (exit.is_null("peak_rss_bytes")) {
        EXPECT_TRUE(kernel_is_older_than(6, 16)) << "the memory map tells it";
        EXPECT_LT(last, before + 10) << "ru_maxrss grew since the exec";
        EXPECT_GE(most, before * mib);
        continue;
      }
      EXPECT_NEAR(static_cast<double>(exit.number("peak_rss_bytes")),
                  static_cast<double>(high_water(file)), static_cast<double>(counter_slack()));
    }
  }
}

TEST_F(LastExecTest, PeakOfAProcessThatExecutedNothingIsItsOwn) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended process = Child([] {
                    std::string memory(30 * mib, 'x');
                    return memory.back() == 'x' ? 0 : 1;
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  Record exit = bpftrap.record_of(process, "exit");
  EXPECT_GE(exit.number("peak_rss_bytes"), 30 * mib);
  EXPECT_NEAR(static_cast<double>(exit.number("peak_rss_bytes")),
              static_cast<double>(process.usage.ru_maxrss) * 1024,
              static_cast<double>(counter_slack()));
}

}  // namespace
}  // namespace e2e
