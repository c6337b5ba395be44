// SPDX-License-Identifier: GPL-2.0-only
// The JSON stream itself: start, stop, keys, types and times.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using StreamTest = TracingTest;

std::string version_of_bpftrap() {
  std::string text = run_bpftrap({"--version"}).output;
  return text.substr(0, text.find('\n'));
}

TEST_F(StreamTest, StartSaysWhoWritesWhatWhere) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  EXPECT_EQ(bpftrap.stop(), 0);
  const Record& start = bpftrap.records().front();
  utsname machine{};
  ::uname(&machine);
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  file >> boot_id;
  EXPECT_EQ(start.number("version"), 1U);
  EXPECT_EQ("bpftrap " + start.text("bpftrap"), version_of_bpftrap());
  EXPECT_EQ(start.text("host"), machine.nodename);
  EXPECT_EQ(start.text("kernel"), machine.release);
  EXPECT_EQ(start.text("boot_id"), boot_id);
  EXPECT_EQ(start.text("command"), "exec");
  EXPECT_EQ(bpftrap.errors(), "");
}

// Bpftrap::wait() checks the counts in every test.
TEST_F(StreamTest, StopCountsTheRecords) {
  Bpftrap bpftrap({"exit", "--json", "--pid", std::to_string(::getpid())});
  bpftrap.await_start();
  EXPECT_EQ(bpftrap.records().front().text("command"), "exit");
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records().back().number("records"), 0U);
  EXPECT_EQ(bpftrap.records().size(), 2U);
}

TEST_F(StreamTest, EachKindHasItsKeys) {
  using Keys = std::vector<std::string>;
  Keys process{"event", "ts",        "boot_ns",       "id",           "parent_id",     "pid",
               "ppid",  "local_pid", "parent_comm",   "uid",          "gid",           "euid",
               "egid",  "login_uid", "audit_session", "session_id",   "process_group", "tty",
               "comm",  "cgroup",    "unit",          "container_id", "pid_ns_inode",  "ns_pid"};
  Keys exec = process;
  exec.insert(exec.end(), {"filename", "interp", "exe", "exe_deleted", "cwd", "cwd_deleted", "args",
                           "args_size", "args_truncated", "env", "stdin", "stdout", "stderr",
                           "cap_effective", "secure", "errno"});
  Keys exit = process;
  exit.insert(exit.end(), {"exe", "cwd", "args_truncated", "peak_rss_bytes"});
  exit.insert(exit.end(), {"filename",           "args",
                           "exit_code",          "signal",
                           "core_dumped",        "oom_killed",
                           "killer_pid",         "killer_comm",
                           "killer_id",          "last_signal",
                           "last_signal_pid",    "last_signal_comm",
                           "last_signal_id",     "last_signal_age_ns",
                           "parent_blocked",     "duration_ns",
                           "cpu_user_ns",        "cpu_sys_ns",
                           "cpu_wait_ns",        "max_rss_bytes",
                           "io_read_bytes",      "io_write_bytes",
                           "minor_faults",       "major_faults",
                           "voluntary_switches", "involuntary_switches"});
  Bpftrap bpftrap({"exec", "--json", "--event", "+fork"});
  bpftrap.await_start();
  Ended process_of_test = run_workload({"nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  auto expect_keys = [](const Record& record, Keys keys) {
    Keys has = record.keys();
    std::sort(has.begin(), has.end());
    std::sort(keys.begin(), keys.end());
    EXPECT_EQ(has, keys) << record.kind();
  };
  expect_keys(bpftrap.records().front(), {"event", "version", "bpftrap", "ts", "boot_ns", "host",
                                          "boot_id", "kernel", "command"});
  expect_keys(bpftrap.record_of(process_of_test, "fork"), process);
  expect_keys(bpftrap.record_of(process_of_test, "exec"), exec);
  expect_keys(bpftrap.record_of(process_of_test, "exit"), exit);
  expect_keys(bpftrap.records().back(), {"event", "ts", "records", "lost"});
}

TEST(SchemaTest, RefusesWhatIsWrong) {
  const Schema& schema = Schema::get();
  if (!schema.loaded()) {
    GTEST_SKIP() << schema.reason();
  }
  std::string stop =
      R"({"event":"stop","ts":"2026-01-31T12:00:00.123456789Z","records":1,"lost":0)";
  EXPECT_EQ(schema.violation_of_line(stop + "}"), "");
  EXPECT_EQ(schema.violation_of_line(stop + R"(,"more":"later"})"), "");
  for (const char* wrong : {
           R"({"event":"stop","ts":"2026-01-31T12:00:00.123456789Z","records":1})",
           R"({"event":"stop","ts":"2026-01-31T12:00:00.123Z","records":1,"lost":0})",
           R"({"event":"stop","ts":"2026-01-31T12:00:00.123456789Z","records":"1","lost":0})",
           R"({"event":"stop","ts":"2026-01-31T12:00:00.123456789Z","records":1,"lost":null})",
           R"({"event":"step","ts":"2026-01-31T12:00:00.123456789Z","records":1,"lost":0})",
           R"([])",
       }) {
    EXPECT_NE(schema.violation_of_line(wrong), "") << wrong;
  }
}

// The two clocks are not read at the same instant, and one is converted into the other.
constexpr std::uint64_t clock_slack_ns = 1'000'000;

TEST_F(StreamTest, TimesAreThoseOfTheEvent) {
  Bpftrap bpftrap({"exec", "--json"});
  std::uint64_t before_start = boot_ns_now();
  bpftrap.await_start();
  std::uint64_t after_start = boot_ns_now();
  std::vector<Record> records;
  for (int i = 0; i < 5; ++i) {
    std::uint64_t wall_before = wall_ns_now();
    Ended process = run_workload({"sleep", "20"});
    std::uint64_t wall_after = wall_ns_now();
    bpftrap.await([&] { return bpftrap.records_of(process).size() == 2; });
    Record exec = bpftrap.record_of(process, "exec");
    Record exit = bpftrap.record_of(process, "exit");
    EXPECT_GE(exec.number("boot_ns"), process.before_fork);
    EXPECT_GE(exit.number("boot_ns"), exec.number("boot_ns") + 20'000'000);
    EXPECT_LE(exit.number("boot_ns"), process.after_end);
    EXPECT_GE(exec.start_ns(), process.before_fork);
    EXPECT_LE(exec.start_ns(), exec.number("boot_ns"));
    EXPECT_GE(wall_ns_of(exec) + clock_slack_ns, wall_before);
    EXPECT_GE(wall_ns_of(exit), wall_ns_of(exec) + 20'000'000 - clock_slack_ns);
    EXPECT_LE(wall_ns_of(exit), wall_after + clock_slack_ns);
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_GE(bpftrap.records().front().number("boot_ns"), before_start);
  EXPECT_LE(bpftrap.records().front().number("boot_ns"), after_start);
}

}  // namespace
}  // namespace e2e
