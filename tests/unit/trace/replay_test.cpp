// SPDX-License-Identifier: GPL-2.0-only
// A recording becomes the lines that a trace would have written.
#include "core/trace/replay.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/output/json_sink.h"
#include "core/output/table_sink.h"
#include "core/record/unwritten_end.h"
#include "unit/recording/golden.h"
#include "unit/recording/sample.h"

namespace bpftrap {
namespace {

ProcessStreamOptions all_events() {
  ProcessStreamOptions stream;
  stream.write_forks = stream.write_execs = stream.write_failed_execs = true;
  stream.read_older = true;
  return stream;
}

ReplayOptions everything() {
  ReplayOptions options;
  options.stream = all_events();
  options.scope.write_forks = 1;
  return options;
}

class ReplayTest : public testing::Test {
 protected:
  void replay(const std::vector<std::string>& records, const ReplayOptions& options,
              std::uint64_t run = 42) {
    Replay replayed(options, clock_, users_, sink_);
    RecordingBatch batch{};
    batch.run = run;
    replayed.begin_batch(batch);
    for (const std::string& record : records) {
      replayed.take(std::as_bytes(std::span(record)));
    }
    replayed.finish();
    malformed_ = replayed.malformed();
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::string_view rest = out_;
    while (!rest.empty()) {
      std::size_t end = rest.find('\n');
      all.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return all;
  }
  std::vector<std::string> events() const {
    std::vector<std::string> names;
    for (const std::string& line : lines()) {
      std::size_t begin = std::strlen(R"({"event":")");
      names.push_back(line.substr(begin, line.find('"', begin) - begin));
    }
    return names;
  }

  std::string out_;
  WallClock clock_ = WallClock::recorded();
  Users users_{""};
  JsonSink sink_{[this] {
    SinkSetup setup{out_, clock_};
    setup.with_host = true;
    return setup;
  }()};
  std::uint64_t malformed_ = 0;
};

using Names = std::vector<std::string>;

TEST_F(ReplayTest, GoldenRecording) {
  replay(golden_records_1(), everything());
  EXPECT_EQ(events(), (Names{"start", "fork", "exec", "exit", "lost", "stop"}));
  EXPECT_EQ(malformed_, 0U);
  std::vector<std::string> all = lines();
  EXPECT_EQ(all[0].find(R"("ts":"1970-01-01T00:16:42.000000000Z","boot_ns":2000000000,)"
                        R"("host":"machine","boot_id":"0123-4567","kernel":"6.1.0")"),
            all[0].find("\"ts\""))
      << all[0];
  for (const char* part :
       {R"("id":"1234-4000000000")", R"("cgroup":"/a/b")", R"("filename":"/bin/x")",
        R"("exe":"/bx","exe_deleted":false,"cwd":"/")", R"("args":["x","a b"])", R"("tty":"pts/3")",
        R"(,"host":"machine","boot_id":"0123-4567"})"}) {
    EXPECT_NE(all[2].find(part), std::string::npos) << part << "\n" << all[2];
  }
  for (const char* part : {R"("args":["x","a b"])", R"("exit_code":3)", R"("max_rss_bytes":12288)",
                           R"("last_signal":"SIGTERM")", R"("last_signal_comm":"systemd")"}) {
    EXPECT_NE(all[3].find(part), std::string::npos) << part << "\n" << all[3];
  }
  EXPECT_NE(all[4].find(R"("count":7)"), std::string::npos) << all[4];
  EXPECT_NE(all[5].find(R"("records":3,"lost":7)"), std::string::npos) << all[5];
}

TEST_F(ReplayTest, WindowKeepsTheStateOfEarlierRecords) {
  ReplayOptions options = everything();
  options.since_ns = 1'006'000'000'000;
  replay(golden_records_1(), options);
  EXPECT_EQ(events(), (Names{"start", "exit", "lost", "stop"}));
  EXPECT_NE(out_.find(R"("args":["x","a b"])"), std::string::npos) << out_;
  out_.clear();
  options.since_ns.reset();
  options.until_ns = 1'005'999'999'999;
  replay(golden_records_1(), options);
  EXPECT_EQ(events(), (Names{"start", "fork", "exec", "stop"}));
}

TEST_F(ReplayTest, CountAndSkip) {
  ReplayOptions options = everything();
  options.count = 1;
  replay(golden_records_1(), options);
  EXPECT_EQ(events(), (Names{"start", "fork", "stop"}));
  out_.clear();
  options.count.reset();
  options.skip = 2;
  replay(golden_records_1(), options);
  EXPECT_EQ(events(), (Names{"start", "exit", "lost", "stop"}));
}

// A later segment begins with the state, so that a reader can start there.
TEST_F(ReplayTest, SegmentExplainsItself) {
  std::vector<std::string> golden = golden_records_1();
  auto as = [](const std::string& record, std::uint8_t kind) {
    return with_kind(std::as_bytes(std::span(record)), kind);
  };
  std::vector<std::string> segment(golden.begin(), golden.begin() + 6);
  segment.push_back(as(golden[6], recorded_birth));
  segment.push_back(as(golden[7], recorded_last_exec));
  std::vector<std::string> from_here = segment;
  from_here.insert(from_here.end(), golden.begin() + 8, golden.end());
  ReplayOptions options = everything();
  options.stream.exits_of_execs_only = true;
  options.scope.exits_of_execs = options.scope.only_executed = 1;
  replay(from_here, options);
  EXPECT_EQ(events(), (Names{"start", "exit", "lost", "stop"}));
  EXPECT_NE(out_.find(R"("args":["x","a b"])"), std::string::npos) << out_;

  // In the middle of a recording it changes nothing.
  std::vector<std::string> whole(golden.begin(), golden.begin() + 8);
  whole.insert(whole.end(), segment.begin(), segment.end());
  whole.insert(whole.end(), golden.begin() + 8, golden.end());
  out_.clear();
  replay(whole, options);
  EXPECT_EQ(events(), (Names{"start", "fork", "exec", "exit", "lost", "stop"}));
}

TEST_F(ReplayTest, CommandLineOfAnOlderProcess) {
  bpftrap_exit_event event = wire_exit(0);
  event.flags |= BPFTRAP_EXIT_EXECUTED;
  event.process.start_boot_ns = 77 * std::uint64_t{BPFTRAP_TICK_NS} + 1;
  event.process.pid = event.process.local_pid = 10;
  std::vector<std::string> records = golden_records_1();
  records.push_back(text_of(bytes_of(event)));
  replay(records, everything());
  EXPECT_NE(out_.find(R"("exe":"/bin/bash","cwd":"/","args":["bash","-l"])"), std::string::npos)
      << out_;
}

TEST_F(ReplayTest, ClockStepAppliesFromItsTimeOn) {
  std::vector<std::string> records = golden_records_1();
  BootTime step(std::chrono::seconds(5));
  records.insert(records.begin() + 7, encode(ClockRecord{step, 0}));
  replay(records, everything());
  EXPECT_NE(lines()[1].find("1970-01-01T00:16:44"), std::string::npos) << lines()[1];
  EXPECT_NE(lines()[2].find("1970-01-01T00:00:05"), std::string::npos) << lines()[2];
}

TEST_F(ReplayTest, EnvironmentOfAnUnwantedExecIsDropped) {
  auto environment = [](std::string_view strings) { return text_of(wire_environment(strings)); };
  auto exec = [](const char* comm) {
    Bytes bytes = wire_exec("/bin/x", "", std::string_view("x", 2), 2);
    auto* event = reinterpret_cast<bpftrap_exec_event*>(bytes.data());
    std::strcpy(event->process.comm, comm);
    event->flags = BPFTRAP_EXEC_ENV_REQUESTED;
    event->env_len = 4;
    return text_of(bytes);
  };
  std::vector<std::string> records(golden_records_1());
  records.resize(6);
  std::string_view first("A=1\0", 4);
  std::string_view second("A=2\0", 4);
  records.insert(records.end(),
                 {environment(first), exec("unwanted"), environment(second), exec("w")});
  ReplayOptions options = everything();
  options.scope.filter_names = 1;
  options.scope.names.starts = 1;
  options.scope.names.masks[std::size_t{'w'}] = 1;
  options.scope.names.accepts = 2;
  replay(records, options);
  EXPECT_EQ(events(), (Names{"start", "exec", "stop"}));
  EXPECT_NE(out_.find(R"("env":["A=2"])"), std::string::npos) << out_;
}

TEST_F(ReplayTest, TableNamesRecordedUsers) {
  std::string table;
  SinkSetup setup{table, clock_, {fields<ExecRecord>()}};
  setup.columns = {"TIME", "USER", "COMMAND"};
  setup.users = &users_;
  setup.dates = setup.utc = true;
  TableSink sink(setup);
  Replay replayed(everything(), clock_, users_, sink);
  for (const std::string& record : golden_records_1()) {
    replayed.take(std::as_bytes(std::span(record)));
  }
  EXPECT_EQ(table,
            "TIME                    USER     COMMAND\n"
            "1970-01-01 00:16:45.000 somebody x 'a b'\n");
}

TEST_F(ReplayTest, WithoutItsBeginningNothingIsPrinted) {
  std::vector<std::string> records = golden_records_1();
  records.erase(records.begin(), records.begin() + 5);
  replay(records, everything());
  EXPECT_EQ(events(), (Names{"stop"}));
}

// Keeps the ends that are not written.
class UnwrittenEnds final : public Sink {
 public:
  void write(const RecordView& record) override {
    if (const auto* end = record.get_if<UnwrittenEnd>()) {
      ends.push_back(*end);
    }
  }
  std::vector<UnwrittenEnd> ends;
};

TEST(ReplayEndsTest, EndsThatFiltersLeaveOutAreTold) {
  auto ends = [](const ReplayOptions& options) {
    WallClock clock = WallClock::recorded();
    Users users{""};
    UnwrittenEnds sink;
    Replay replay(options, clock, users, sink);
    replay.begin_batch(RecordingBatch{});
    for (const std::string& record : golden_records_1()) {
      replay.take(std::as_bytes(std::span(record)));
    }
    replay.finish();
    return sink.ends;
  };
  ReplayOptions options = everything();
  options.write_unwritten = true;
  EXPECT_TRUE(ends(options).empty());
  options.stream.write_exits = false;
  ASSERT_EQ(ends(options).size(), 1U);
  EXPECT_EQ(ends(options)[0].id, (ProcessId{1234, 4'000'000'000}));
  EXPECT_EQ(ends(options)[0].time, BootTime(std::chrono::seconds(6)));
  options.write_unwritten = false;
  EXPECT_TRUE(ends(options).empty());
}

}  // namespace
}  // namespace bpftrap
