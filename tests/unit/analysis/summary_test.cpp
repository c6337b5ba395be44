// SPDX-License-Identifier: GPL-2.0-only
// The sums of `--summary` and their output.
#include "core/analysis/summary.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>

#include "core/analysis/summary_sink.h"
#include "core/output/json_sink.h"

namespace bpftrap {
namespace {

using namespace std::literals;

ExitRecord ended(std::string_view comm, std::chrono::nanoseconds duration, CpuTimes cpu,
                 std::uint64_t rss = 4096, int wait_status = 0) {
  ExitRecord record;
  record.process.comm = comm;
  record.duration = duration;
  record.cpu = cpu;
  record.max_rss_bytes = rss;
  record.wait_status = wait_status;
  return record;
}

std::vector<std::string> names(const Summary& summary) {
  std::vector<std::string> all;
  for (const SummaryRecord& row : summary.rows(BootTime())) {
    all.emplace_back(row.comm);
  }
  return all;
}

TEST(Summary, AddsUpByName) {
  Summary summary;
  EXPECT_TRUE(summary.empty());
  summary.add(ended("cc1", 3s, {2s, 100ms}, 1000));
  summary.add(ended("cc1", 5s, {1s, 200ms}, 3000));
  summary.add(ended("cc1", 4s, {0s, 0s}, 2000));
  EXPECT_FALSE(summary.empty());

  std::vector<SummaryRecord> rows = summary.rows(BootTime(7s));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].time, BootTime(7s));
  EXPECT_EQ(rows[0].comm, "cc1");
  EXPECT_EQ(rows[0].count, 3U);
  EXPECT_EQ(rows[0].failures, 0U);
  EXPECT_EQ(rows[0].duration_total, 12s);
  EXPECT_EQ(rows[0].duration_max, 5s);
  EXPECT_EQ(rows[0].cpu, (CpuTimes{3s, 300ms}));
  EXPECT_EQ(rows[0].max_rss_bytes, 3000U);
}

TEST(Summary, KeepsNamesThatTheRecordDoesNot) {
  Summary summary;
  {
    std::string buffer = "fifteen_bytes_x";
    summary.add(ended(buffer, 1s, {}));
    buffer.assign(15, '?');
  }
  EXPECT_EQ(names(summary), std::vector<std::string>{"fifteen_bytes_x"});
}

TEST(Summary, EveryStatusOtherThanZeroIsAFailure) {
  Summary summary;
  for (int status : {0, 1 << 8, 255 << 8, int{SIGTERM}, SIGSEGV | 0x80, 0}) {
    summary.add(ended("x", 1s, {}, 0, status));
  }
  EXPECT_EQ(summary.rows(BootTime())[0].count, 6U);
  EXPECT_EQ(summary.rows(BootTime())[0].failures, 4U);
}

TEST(Summary, SortsByCpuTimeThenName) {
  Summary summary;
  summary.add(ended("b", 1s, {1s, 1s}));
  summary.add(ended("user", 1s, {3s, 0s}));
  summary.add(ended("a", 9s, {0s, 2s}));
  summary.add(ended("idle", 100s, {0s, 0s}));
  summary.add(ended("kernel", 1s, {0s, 4s}));
  EXPECT_EQ(names(summary), (std::vector<std::string>{"kernel", "user", "a", "b", "idle"}));
}

TEST(Summary, NamesBeyondTheLimitAreCountedTogether) {
  Summary summary(2);
  summary.add(ended("a", 1s, {1s, 0s}));
  summary.add(ended("b", 1s, {2s, 0s}));
  for (int i = 0; i < 1000; ++i) {
    summary.add(ended("c" + std::to_string(i), 1s, {10ms, 0s}, static_cast<std::uint64_t>(i),
                      i % 10 == 0 ? 256 : 0));
  }
  // A name that is already counted keeps its row.
  summary.add(ended("a", 1s, {1s, 0s}));
  EXPECT_EQ(names(summary), (std::vector<std::string>{"(all other names)", "a", "b"}));

  SummaryRecord others = summary.rows(BootTime())[0];
  EXPECT_EQ(others.count, 1000U);
  EXPECT_EQ(others.failures, 100U);
  EXPECT_EQ(others.duration_total, 1000s);
  EXPECT_EQ(others.duration_max, 1s);
  EXPECT_EQ(others.cpu.user, 10s);
  EXPECT_EQ(others.max_rss_bytes, 999U);
  EXPECT_EQ(summary.rows(BootTime())[1].count, 2U);
}

TEST(Summary, NoRoomForAnyName) {
  Summary summary(0);
  EXPECT_TRUE(summary.empty());
  summary.add(ended("a", 1s, {}));
  EXPECT_FALSE(summary.empty());
  EXPECT_EQ(names(summary), std::vector<std::string>{std::string(Summary::others)});
}

// A comm has 15 bytes at the maximum, so no process can have the name of that row.
TEST(Summary, NoProcessIsCalledLikeTheOthers) {
  EXPECT_GT(Summary::others.size(), 15U);
}

TEST(Summary, LongLivesDoNotWrapAround) {
  using std::chrono::nanoseconds;
  Summary summary;
  for (const char* name : {"a", "a", "b"}) {
    summary.add(ended(name, nanoseconds::max() - 1ns, {nanoseconds::max() - 1ns, 5s}));
  }
  std::vector<SummaryRecord> rows = summary.rows(BootTime());
  EXPECT_EQ(rows[0].duration_total, nanoseconds::max());
  EXPECT_EQ(rows[0].cpu.user, nanoseconds::max());
  EXPECT_EQ(names(summary), (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(summary.table(false).find("106751d"), std::string::npos) << summary.table(false);
}

TEST(SummaryTable, HeaderRowsAndTotal) {
  Summary summary;
  summary.add(ended("cc1plus", 1520ms, {1400ms, 100ms}, 350U << 20));
  summary.add(ended("cc1plus", 2520ms, {2400ms, 100ms}, 250U << 20));
  summary.add(ended("fifteen_bytes_x", 812us, {0ns, 812us}, 1234, 256));
  summary.add(ended("make", 4100ms, {20ms, 10ms}, 5U << 20, SIGINT));
  EXPECT_EQ(summary.table(false),
            "COMM              COUNT  FAILED   TOTAL LONGEST     CPU   RSS\n"
            "cc1plus               2       0   4.04s   2.52s   4.00s  350M\n"
            "make                  1       1   4.10s   4.10s  30.0ms  5.0M\n"
            "fifteen_bytes_x       1       1   812µs   812µs   812µs  1.2K\n"
            "total                 4       2   8.14s   4.10s   4.03s  350M\n");
}

TEST(SummaryTable, OneProgramHasNoTotal) {
  Summary summary;
  summary.add(ended("true", 1ms, {1ms, 0ms}));
  EXPECT_EQ(summary.table(false),
            "COMM              COUNT  FAILED   TOTAL LONGEST     CPU   RSS\n"
            "true                  1       0  1.00ms  1.00ms  1.00ms  4.0K\n");
}

TEST(SummaryTable, NothingRan) {
  EXPECT_EQ(Summary().table(true),
            "COMM              COUNT  FAILED   TOTAL LONGEST     CPU   RSS\n");
}

TEST(SummaryTable, FailuresAreRed) {
  Summary summary;
  summary.add(ended("good", 1ms, {2ms, 0ms}));
  summary.add(ended("bad", 1ms, {1ms, 0ms}, 4096, 256));
  EXPECT_EQ(summary.table(true),
            "COMM              COUNT  FAILED   TOTAL LONGEST     CPU   RSS\n"
            "good                  1       0  1.00ms  1.00ms  2.00ms  4.0K\n"
            "bad                   1       \x1b[31m1\x1b[0m  1.00ms  1.00ms  1.00ms  4.0K\n"
            "total                 2       \x1b[31m1\x1b[0m  2.00ms  1.00ms  3.00ms  4.0K\n");
}

TEST(SummaryTable, HostileNamesAreEscapedAndStayAligned) {
  Summary summary;
  summary.add(ended("\x1b[2J\n\xff\xe2\x80\xae\xc2\x9b", 1ms, {3ms, 0ms}));
  summary.add(ended("日本語", 1ms, {2ms, 0ms}));
  summary.add(ended("", 1ms, {1ms, 0ms}));
  EXPECT_EQ(summary.table(false),
            "COMM                        COUNT  FAILED   TOTAL LONGEST     CPU   RSS\n"
            "\\x1b[2J\\n\\xff\\u202e\\u009b       1       0  1.00ms  1.00ms  3.00ms  4.0K\n"
            "日本語                          1       0  1.00ms  1.00ms  2.00ms  4.0K\n"
            "                                1       0  1.00ms  1.00ms  1.00ms  4.0K\n"
            "total                           3       0  3.00ms  1.00ms  6.00ms  4.0K\n");
}

// Collects the kinds of the records that are written to it.
class Kinds final : public Sink {
 public:
  explicit Kinds(std::vector<std::string>& kinds) : kinds_(kinds) {}

  void write(const RecordView& record) override {
    kinds_.emplace_back(record.fields().front().constant);
  }
  void finish() override { kinds_.emplace_back("finished"); }

 private:
  std::vector<std::string>& kinds_;
};

TEST(SummarySink, WritesTheSummaryBeforeStop) {
  std::vector<std::string> kinds;
  std::string table;
  SummarySink sink(std::make_unique<Kinds>(kinds),
                   [&table](const Summary& summary) { table = summary.table(false); });
  sink.write(StartRecord{});
  sink.write(ended("a", 1s, {}));
  sink.write(ExecRecord{});
  sink.write(ended("b", 1s, {}));
  EXPECT_EQ(table, "");
  sink.write(StopRecord{});
  sink.finish();
  EXPECT_EQ(kinds, (std::vector<std::string>{"start", "exit", "exec", "exit", "summary", "summary",
                                             "stop", "finished"}));
  EXPECT_NE(table.find("total                 2"), std::string::npos) << table;
}

TEST(SummaryJson, OneLineAProgram) {
  // 2026-01-31T12:00:00Z is 1000 s on the boot clock.
  WallClock clock({[] { return BootTime(1000s); }, [] { return WallTime{1769860800'000000000}; }});
  std::string out;
  JsonSink sink({out, clock});
  Summary summary;
  summary.add(ended("\x1b\"\xff", 5s, {2s, 1ns}, 8192, SIGKILL));
  summary.add(ended("make", 3s, {1s, 2ns}));
  summary.add(ended("make", 4s, {500ms, 3ns}, 4096, 512));
  for (const SummaryRecord& row : summary.rows(BootTime(1000s))) {
    sink.write(row);
  }
  EXPECT_EQ(out,
            R"({"event":"summary","ts":"2026-01-31T12:00:00.000000000Z","comm":"\u001B\")"
            "\xef\xbf\xbd"
            R"(","count":1,"failures":1,"duration_total_ns":5000000000,)"
            R"("duration_max_ns":5000000000,"cpu_user_ns":2000000000,"cpu_sys_ns":1,)"
            R"("max_rss_bytes":8192})"
            "\n"
            R"({"event":"summary","ts":"2026-01-31T12:00:00.000000000Z","comm":"make","count":2,)"
            R"("failures":1,"duration_total_ns":7000000000,"duration_max_ns":4000000000,)"
            R"("cpu_user_ns":1500000000,"cpu_sys_ns":5,"max_rss_bytes":4096})"
            "\n");
}

TEST(Summary, TheLastAccountReplacesThatOfTheEnd) {
  Summary summary;
  ExitRecord exit;
  exit.process.comm = "cc";
  for (Pid pid : {1, 2}) {
    exit.process.id = {pid, 10};
    exit.cpu = {1ms, 2ms};
    summary.add(exit);
  }
  summary.amend({{2, 10}, {5ms, 6ms}, {}});
  summary.amend({{2, 10}, {50ms, 60ms}, {}});
  summary.amend({{3, 10}, {50ms, 60ms}, {}});
  std::vector<SummaryRecord> rows = summary.rows(BootTime());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].count, 2U);
  EXPECT_EQ(rows[0].cpu, (CpuTimes{6ms, 8ms}));
}

}  // namespace
}  // namespace bpftrap
