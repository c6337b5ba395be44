// SPDX-License-Identifier: GPL-2.0-only
// The readable summary.
#include "core/analysis/summary_report.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

using namespace std::literals;

struct Ended {
  std::string_view comm;
  std::string_view parent;
  std::string_view args;
  std::string_view cwd;
  std::chrono::nanoseconds duration;
  CpuTimes cpu;
  int wait_status = 0;
  std::chrono::nanoseconds before = {};  // how long it ran before the trace
};

std::string report(const std::vector<Ended>& runs, SummaryLook look = {}) {
  Summary summary;
  summary.start(BootTime(0s));
  Pid pid = 100;
  for (const Ended& run : runs) {
    ExitRecord record;
    record.process.id = {++pid, pid};
    record.process.comm = run.comm;
    record.process.parent_comm = run.parent;
    record.time = BootTime(run.duration) - run.before;
    record.duration = run.duration;
    record.cpu = run.cpu;
    record.max_rss_bytes = 350U << 20;
    record.wait_status = run.wait_status;
    if (!run.args.empty()) {
      record.args = Arguments{run.args, false};
      record.cwd = run.cwd;
    }
    summary.add(record);
  }
  return summary_report(summary.rows(BootTime(), 2, BootTime(10s)), look);
}

TEST(SummaryReport, TellsTheRunProgramsAndSlowestCommands) {
  EXPECT_EQ(report({{"cc1plus", "g++", "cc1plus\0-O2\0one.cpp\0"sv, "/src/build", 9s, {5s, 300ms}},
                    {"cc1plus", "g++", "cc1plus\0-O2\0two.cpp\0"sv, "/src/build", 4s, {3s, 0s}},
                    {"ld", "g++", "ld\0-o\0x\0"sv, "/src", 1s, {500ms, 0s}, 256}}),
            "10.0s wall, 8.80s CPU: 0.88 of 2 CPUs; 3 processes, 1 failed\n"
            "\n"
            "PROGRAM         STARTED BY       COUNT FAILED     CPU LONGEST   RSS\n"
            "cc1plus         g++                  2      0   8.30s   9.00s  350M\n"
            "ld              g++                  1      1   500ms   1.00s  350M\n"
            "\n"
            "DURATION     CPU   RSS DIRECTORY  COMMAND\n"
            "   9.00s   5.30s  350M /src/build cc1plus … one.cpp\n"
            "   4.00s   3.00s  350M /src/build cc1plus … two.cpp\n"
            "   1.00s   500ms  350M /src       ld -o x\n");
}

TEST(SummaryReport, CpuTimeOfBeforeTheTraceGivesNoAverage) {
  Ended run{"sh", "bash", "sh", "/", 20s, {19s, 0s}, 0, 15s};
  EXPECT_EQ(report({run}).substr(0, 43), "10.0s wall, 19.0s CPU; 1 process, 0 failed\n");
  run.cpu = {0s, 1s};
  Ended much{"cc1", "sh", "cc1", "/", 9s, {9s, 0s}};
  EXPECT_EQ(report({run, much}).find(" CPUs"), std::string::npos);
  much.cpu.user = 30s;
  EXPECT_NE(report({run, much}).find(" of 2 CPUs; "), std::string::npos);
}

TEST(SummaryReport, NothingEnded) {
  EXPECT_EQ(report({}), "no process ended\n");
}

TEST(SummaryReport, AProcessWithoutProgramShowsItsName) {
  std::string text = report({{"kworker/0:1", "kthreadd", "", "", 1s, {}}});
  EXPECT_NE(text.find("350M -         [kworker/0:1]\n"), std::string::npos) << text;
}

TEST(SummaryReport, FurtherProgramsAreOneRow) {
  SummaryLook look{.programs = 1};
  std::string text = report({{"a", "sh", "a", "/", 1s, {3s, 0s}},
                             {"b", "sh", "b", "/", 1s, {2s, 0s}},
                             {"c", "sh", "c", "/", 2s, {1s, 0s}, 256}},
                            look);
  EXPECT_NE(text.find("(2 others)                           2      1   3.00s   2.00s  350M\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(report({{"a", "sh", "a", "/", 1s, {3s, 0s}}, {"b", "sh", "b", "/", 1s, {2s, 0s}}}, look)
                .find("others"),
            std::string::npos)
      << "one row is shown instead of a row that says so";
}

TEST(SummaryReport, RowsFitTheTerminal) {
  std::string args = "program";
  for (int i = 0; i < 100; ++i) {
    args += "\0word"s + std::to_string(i);
  }
  std::string cwd = "/home/someone/with/a/very/long/path/to/the/directory";
  for (std::size_t columns : {80U, 100U, 160U}) {
    std::string text = report({{"program", "sh", args, cwd, 1s, {}}}, {.columns = columns});
    std::string row = text.substr(text.rfind('\n', text.size() - 2) + 1);
    EXPECT_LE(display_width(row.substr(0, row.size() - 1)), columns) << row;
    EXPECT_GT(display_width(row), columns - 10) << row;
    EXPECT_NE(row.find(" …/path/to/the/directory "), std::string::npos) << row;
  }
}

TEST(SummaryReport, HostileTextIsEscaped) {
  std::string text = report({{"\x1b[2J", "\n", "\x1b[2J\0\xe2\x80\xae\0"sv, "/\x1b[2J", 1s, {}}});
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos) << text;
}

TEST(SummaryReport, FailuresAreRed) {
  std::string text = report({{"a", "sh", "a", "/", 1s, {}, 256}}, {.color = true});
  EXPECT_NE(text.find("\x1b[31m1 failed\x1b[0m"), std::string::npos) << text;
}

}  // namespace
}  // namespace bpftrap
