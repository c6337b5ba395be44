// SPDX-License-Identifier: GPL-2.0-only
// The sums of `--summary` and their records.
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

// `program<parent` of each program's row.
std::vector<std::string> names(const Summary& summary) {
  std::vector<std::string> all;
  for (const SummaryRecord& row : summary.rows(BootTime(), 1, {})) {
    if (row.part == SummaryRecord::Part::program) {
      all.push_back(std::string(*row.comm) + "<" + std::string(*row.parent_comm));
    }
  }
  return all;
}

TEST(Summary, AddsUpTheRunAndPrograms) {
  Summary summary;
  EXPECT_TRUE(summary.empty());
  EXPECT_TRUE(summary.rows(BootTime(), 1, {}).empty());
  summary.start(BootTime(1s));
  summary.add(ended("cc1", 3s, {2s, 100ms}, 1000));
  summary.add(ended("cc1", 5s, {1s, 200ms}, 3000));
  summary.add(ended("ld", 4s, {0s, 0s}, 2000, 256));

  std::vector<SummaryRecord> rows = summary.rows(BootTime(7s), 8, BootTime(6s));
  ASSERT_EQ(rows.size(), 6U);
  const SummaryRecord& run = rows[0];
  EXPECT_EQ(run.part, SummaryRecord::Part::run);
  EXPECT_EQ(run.time, BootTime(7s));
  EXPECT_EQ(run.wall, 5s);
  EXPECT_EQ(run.cpus, 8U);
  EXPECT_EQ(run.sums.count, 3U);
  EXPECT_EQ(run.sums.failures, 1U);
  EXPECT_EQ(run.sums.cpu_total(), 3300ms);
  EXPECT_FALSE(run.comm);
  const SummaryRecord& cc1 = rows[1];
  EXPECT_EQ(cc1.part, SummaryRecord::Part::program);
  EXPECT_EQ(cc1.comm, "cc1");
  EXPECT_EQ(cc1.sums.count, 2U);
  EXPECT_EQ(cc1.sums.failures, 0U);
  EXPECT_EQ(cc1.sums.duration_total, 8s);
  EXPECT_EQ(cc1.sums.duration_max, 5s);
  EXPECT_EQ(cc1.sums.cpu, (CpuTimes{3s, 300ms}));
  EXPECT_EQ(cc1.sums.rss_bytes, 3000U);
  EXPECT_FALSE(cc1.wall);
}

TEST(Summary, TheRunEndsWithItsLastProcess) {
  Summary summary;
  summary.start(BootTime(10s));
  ExitRecord last = ended("a", 1s, {});
  last.time = BootTime(13s);
  summary.add(last);
  EXPECT_EQ(summary.rows(BootTime(20s), 1, {})[0].wall, 3s);
}

TEST(Summary, ProgramsAreToldApartByWhoStartedThem) {
  Summary summary;
  for (auto [parent, cpu] : {std::pair("make", 1s), {"sh", 3s}, {"make", 1s}}) {
    ExitRecord record = ended("gcc", 1s, {cpu, 0s});
    record.process.parent_comm = parent;
    summary.add(record);
  }
  EXPECT_EQ(names(summary), (std::vector<std::string>{"gcc<sh", "gcc<make"}));
}

TEST(Summary, KeepsTextThatTheRecordDoesNot) {
  Summary summary;
  {
    std::string comm = "fifteen_bytes_x";
    std::string args = "fifteen\0bytes\0and more than a short string\0"s;
    ExitRecord record = ended(comm, 1s, {});
    record.args = Arguments{args, false};
    record.cwd = args;
    summary.add(record);
    comm.assign(15, '?');
    args.assign(args.size(), '?');
  }
  EXPECT_EQ(names(summary), std::vector<std::string>{"fifteen_bytes_x<"});
  SummaryRecord command = summary.rows(BootTime(), 1, {})[2];
  EXPECT_EQ(command.args->bytes, "fifteen\0bytes\0and more than a short string\0"sv);
  EXPECT_EQ(command.cwd, "fifteen\0bytes\0and more than a short string\0"sv);
}

TEST(Summary, EveryStatusOtherThanZeroIsAFailure) {
  Summary summary;
  for (int status : {0, 1 << 8, 255 << 8, int{SIGTERM}, SIGSEGV | 0x80, 0}) {
    summary.add(ended("x", 1s, {}, 0, status));
  }
  EXPECT_EQ(summary.rows(BootTime(), 1, {})[0].sums.count, 6U);
  EXPECT_EQ(summary.rows(BootTime(), 1, {})[0].sums.failures, 4U);
}

TEST(Summary, SortsProgramsByCpuTimeThenName) {
  Summary summary;
  summary.add(ended("b", 1s, {1s, 1s}));
  summary.add(ended("user", 1s, {3s, 0s}));
  summary.add(ended("a", 9s, {0s, 2s}));
  summary.add(ended("idle", 100s, {0s, 0s}));
  summary.add(ended("kernel", 1s, {0s, 4s}));
  EXPECT_EQ(names(summary), (std::vector<std::string>{"kernel<", "user<", "a<", "b<", "idle<"}));
}

TEST(Summary, ProgramsBeyondTheLimitAreCountedTogether) {
  Summary summary(2);
  summary.add(ended("a", 1s, {1s, 0s}));
  summary.add(ended("b", 1s, {2s, 0s}));
  for (int i = 0; i < 1000; ++i) {
    summary.add(ended("c" + std::to_string(i), 1s, {10ms, 0s}, static_cast<std::uint64_t>(i),
                      i % 10 == 0 ? 256 : 0));
  }
  // A program that is already counted keeps its row.
  summary.add(ended("a", 1s, {1s, 0s}));
  EXPECT_EQ(names(summary), (std::vector<std::string>{"(all other names)<", "a<", "b<"}));

  std::vector<SummaryRecord> rows = summary.rows(BootTime(), 1, {});
  EXPECT_EQ(rows[1].sums.count, 1000U);
  EXPECT_EQ(rows[1].sums.failures, 100U);
  EXPECT_EQ(rows[1].sums.cpu.user, 10s);
  EXPECT_EQ(rows[1].sums.rss_bytes, 999U);
  EXPECT_EQ(rows[2].sums.count, 2U);
  EXPECT_EQ(rows.size(), 4 + Summary::commands_most);
}

TEST(Summary, NoRoomForAnyProgram) {
  Summary summary(0);
  summary.add(ended("a", 1s, {}));
  EXPECT_FALSE(summary.empty());
  EXPECT_EQ(names(summary), std::vector<std::string>{std::string(Summary::others) + "<"});
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
  const Sums sums = summary.rows(BootTime(), 1, {})[1].sums;
  EXPECT_EQ(sums.duration_total, nanoseconds::max());
  EXPECT_EQ(sums.cpu.user, nanoseconds::max());
  EXPECT_EQ(names(summary), (std::vector<std::string>{"a<", "b<"}));
}

// The durations of the slowest commands, in order.
std::vector<std::chrono::nanoseconds> slowest(const Summary& summary) {
  std::vector<std::chrono::nanoseconds> all;
  for (const SummaryRecord& row : summary.rows(BootTime(), 1, {})) {
    if (row.part == SummaryRecord::Part::command) {
      all.push_back(row.sums.duration_max);
    }
  }
  return all;
}

ExitRecord family(Pid pid, Pid parent, std::chrono::nanoseconds duration) {
  ExitRecord record = ended("x", duration, {});
  record.process.id = {pid, pid};
  record.process.parent = {parent, parent};
  return record;
}

TEST(Summary, TheSlowestCommandsHaveNoChildren) {
  Summary summary;
  summary.add(family(11, 10, 3s));
  summary.add(family(12, 10, 4s));
  summary.add(family(10, 1, 9s));
  EXPECT_EQ(slowest(summary), (std::vector<std::chrono::nanoseconds>{4s, 3s}));
}

TEST(Summary, KeepsTheSlowestCommands) {
  Summary summary;
  for (unsigned i = 0; i < 1000; ++i) {
    unsigned shuffled = i * 7 % 1000;
    summary.add(family(shuffled + 2, 1, std::chrono::milliseconds(shuffled)));
  }
  std::vector<std::chrono::nanoseconds> kept = slowest(summary);
  ASSERT_EQ(kept.size(), Summary::commands_most);
  EXPECT_EQ(kept.front(), 999ms);
  EXPECT_EQ(kept.back(), 900ms);
}

TEST(Summary, LongArgumentsAreCut) {
  Summary summary;
  std::string args(Summary::args_most + 1, 'x');
  ExitRecord record = ended("x", 1s, {});
  record.args = Arguments{args, false};
  summary.add(record);
  SummaryRecord command = summary.rows(BootTime(), 1, {})[2];
  EXPECT_EQ(command.args->bytes.size(), Summary::args_most);
  EXPECT_TRUE(command.args->truncated);
}

TEST(Summary, TheLastAccountReplacesThatOfTheEnd) {
  Summary summary;
  for (Pid pid : {1U, 2U}) {
    ExitRecord exit = ended("cc", 1s, {1ms, 2ms});
    exit.process.id = {pid, 10};
    summary.add(exit);
  }
  summary.amend({{2, 10}, {5ms, 6ms}, {}});
  summary.amend({{2, 10}, {50ms, 60ms}, {}});
  summary.amend({{3, 10}, {50ms, 60ms}, {}});
  std::vector<SummaryRecord> rows = summary.rows(BootTime(), 1, {});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].sums.cpu, (CpuTimes{6ms, 8ms}));
  EXPECT_EQ(rows[1].sums.cpu, (CpuTimes{6ms, 8ms}));
  EXPECT_EQ(rows[3].sums.cpu, (CpuTimes{5ms, 6ms}));
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
  std::vector<SummaryRecord> reported;
  SummarySink sink(std::make_unique<Kinds>(kinds), {.cpus = 4},
                   [&reported](const std::vector<SummaryRecord>& rows) { reported = rows; });
  sink.write(StartRecord{BootTime(1s), {}, {}, {}, {}});
  sink.write(ended("a", 1s, {}));
  sink.write(ExecRecord{});
  sink.write(ended("b", 1s, {}));
  EXPECT_TRUE(reported.empty());
  sink.write(StopRecord{BootTime(3s), 0, 0});
  sink.finish();
  EXPECT_EQ(kinds, (std::vector<std::string>{"start", "exit", "exec", "exit", "summary", "summary",
                                             "summary", "summary", "summary", "stop", "finished"}));
  ASSERT_EQ(reported.size(), 5U);
  EXPECT_EQ(reported[0].wall, 2s);
  EXPECT_EQ(reported[0].cpus, 4U);
}

TEST(SummaryJson, HasEveryKeyInEachLine) {
  // 2026-01-31T12:00:00Z is 1000 s on the boot clock.
  WallClock clock({[] { return BootTime(1000s); }, [] { return WallTime{1769860800'000000000}; }});
  std::string out;
  JsonSink sink({out, clock});
  Summary summary;
  summary.start(BootTime(995s));
  ExitRecord record = ended("\x1b\"\xff", 5s, {2s, 1ns}, 8192, SIGKILL);
  record.process.id = {7, 9};
  record.process.parent_comm = "sh";
  record.args = Arguments{"a\0b\0"sv, false};
  summary.add(record);
  for (const SummaryRecord& row : summary.rows(BootTime(1000s), 2, BootTime(1000s))) {
    sink.write(row);
  }
  const std::string sums =
      R"("count":1,"failures":1,"duration_total_ns":5000000000,"duration_max_ns":5000000000,)"
      R"("cpu_user_ns":2000000000,"cpu_sys_ns":1,"rss_bytes":8192})"
      "\n";
  const std::string head = R"({"event":"summary","ts":"2026-01-31T12:00:00.000000000Z","of":)";
  const std::string comm = "\"\\u001B\\\"\xef\xbf\xbd\"";
  EXPECT_EQ(out, head +
                     R"("run","wall_ns":5000000000,"cpus":2,"comm":null,"parent_comm":null,)"
                     R"("id":null,"args":null,"cwd":null,)" +
                     sums + head + R"("program","wall_ns":null,"cpus":null,"comm":)" + comm +
                     R"(,"parent_comm":"sh","id":null,"args":null,"cwd":null,)" + sums + head +
                     R"("command","wall_ns":null,"cpus":null,"comm":)" + comm +
                     R"(,"parent_comm":"sh","id":"7-9","args":["a","b"],"cwd":null,)" + sums);
}

}  // namespace
}  // namespace bpftrap
