// SPDX-License-Identifier: GPL-2.0-only
// The recorder adds what the records of the ring buffer do not tell, in each segment.
#include "core/trace/recorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "unit/recording/sample.h"

namespace bpftrap {
namespace {

using namespace std::literals;

class RecorderTest : public testing::Test {
 protected:
  void begin(RecorderOptions options = {}) {
    options.host = host_of_sample();
    options.users = Users("");
    recorder_.emplace(std::move(options));
    sink_ = recorder_->begin({out_, clock_, 7, [] { return false; }});
    recorder_->live(BootTime(2s));
    StartRecord start{BootTime(2s), "here", "boot", "6.1", "record"};
    sink_->write(start);
  }
  void handle(const Bytes& record) { recorder_->handle(record, *sink_); }
  std::vector<std::string> finish() {
    sink_->write(StopRecord{BootTime(9s), 3, 0});
    sink_->finish();
    return read_recording(out_).records;
  }
  static std::vector<int> kinds_of(const std::vector<std::string>& records) {
    std::vector<int> kinds;
    for (const std::string& record : records) {
      kinds.push_back(static_cast<unsigned char>(record[offsetof(bpftrap_record_header, kind)]));
    }
    return kinds;
  }

  std::string out_;
  WallClock clock_ = clock_of_sample();
  std::optional<Recorder> recorder_;
  std::unique_ptr<Sink> sink_;
};

using Kinds = std::vector<int>;

Bytes exec_with(std::string_view args) {
  return wire_exec("/bin/x", "", args, args.size());
}

Bytes cgroup() {
  std::string record = cgroup_record();
  const auto* begin = reinterpret_cast<const std::byte*>(record.data());
  return {begin, begin + record.size()};
}

TEST_F(RecorderTest, WritesCgroupBeforeTheFirstRecordThatNamesIt) {
  begin();
  handle(cgroup());
  handle(exec_with("x\0"sv));
  handle(bytes_of(wire_exit(0)));
  std::vector<std::string> records = finish();
  EXPECT_EQ(kinds_of(records),
            (Kinds{recorded_host, recorded_clock, recorded_start, BPFTRAP_RECORD_CGROUP,
                   BPFTRAP_RECORD_EXEC, BPFTRAP_RECORD_EXIT, recorded_stop}));
  EXPECT_EQ(records[4], text_of(exec_with("x\0"sv))) << "as it was in the ring buffer";
}

TEST_F(RecorderTest, SegmentBeginsWithWhatLives) {
  begin();
  handle(cgroup());
  bpftrap_fork_event fork = wire_fork();
  fork.flags = BPFTRAP_FORK_WANTED;
  handle(bytes_of(fork));
  handle(exec_with("x\0"sv));
  // Failed execs fill the segment and leave no state.
  Bytes failed = exec_with(std::string(30000, 'x'));
  reinterpret_cast<bpftrap_exec_event*>(failed.data())->error = 2;
  std::mt19937 random(1);
  for (std::size_t written = 0; written < segment_bytes + 2 * batch_raw_usual;
       written += failed.size()) {
    // Arguments that cannot be compressed.
    std::generate(failed.end() - 30000, failed.end(),
                  [&random] { return static_cast<std::byte>(random()); });
    handle(failed);
  }
  std::vector<int> kinds = kinds_of(finish());
  auto second = std::find(kinds.begin() + 1, kinds.end(), recorded_host);
  ASSERT_NE(second, kinds.end());
  EXPECT_EQ(Kinds(second, second + 6),
            (Kinds{recorded_host, recorded_clock, recorded_start, BPFTRAP_RECORD_CGROUP,
                   recorded_birth, recorded_last_exec}));
}

// With filters, the kernel sends the last account of every process.
TEST_F(RecorderTest, LastAccountOfProcessesInTheRecordingOnly) {
  bpftrap_final_event last{};
  last.header = wire_header(BPFTRAP_RECORD_FINAL, sizeof last);
  last.start_boot_ns = wire_process().start_boot_ns;
  last.pid = wire_process().pid;
  for (bool filtered : {false, true}) {
    out_.clear();
    begin({.filtered = filtered});
    handle(bytes_of(last));
    handle(bytes_of(wire_exit(0)));
    handle(bytes_of(last));
    handle(bytes_of(last));
    std::vector<int> kinds = kinds_of(finish());
    EXPECT_EQ(std::count(kinds.begin(), kinds.end(), BPFTRAP_RECORD_FINAL), filtered ? 1 : 3);
  }
}

TEST_F(RecorderTest, OlderProcesses) {
  begin({.older = {{10, 1, 10, 77, "bash"}}});
  CommandLine line;
  line.exe = "/bin/bash";
  line.args = "bash\0"s;
  recorder_->add_older({10, 77, line});
  recorder_->add_older({11, 78, line});  // younger than the list
  std::vector<std::string> records = finish();
  EXPECT_EQ(kinds_of(records), (Kinds{recorded_host, recorded_clock, recorded_start, recorded_older,
                                      recorded_older, recorded_stop}));
}

TEST_F(RecorderTest, RedactsBeforeTheDisk) {
  Redaction redaction;
  redaction.add(Regex("secret"));
  begin({.redaction = redaction});
  std::string_view variables("A=secret\0B=1\0", 13);
  bpftrap_environment_event environment{};
  environment.header = wire_header(BPFTRAP_RECORD_ENVIRONMENT,
                                   sizeof environment + variables.size(), variables.size());
  environment.start_boot_ns = wire_process().start_boot_ns;
  environment.pid = wire_process().pid;
  environment.len = static_cast<std::uint32_t>(variables.size());
  Bytes exec = exec_with("x\0secretsecret\0"sv);
  auto* event = reinterpret_cast<bpftrap_exec_event*>(exec.data());
  event->flags = BPFTRAP_EXEC_ENV_REQUESTED;
  event->env_len = static_cast<std::uint32_t>(variables.size());
  event->args_size += 10;  // argv was longer
  handle(bytes_of(environment, variables));
  handle(exec);
  std::vector<std::string> records = finish();
  std::string all;
  for (const std::string& record : records) {
    all += record;
  }
  EXPECT_EQ(all.find("secret"), std::string::npos);
  EXPECT_NE(all.find("A=***\0B=1\0"sv), std::string::npos);
  ASSERT_EQ(kinds_of(records)[4], BPFTRAP_RECORD_EXEC);
  Decoded decoded = decode(std::as_bytes(std::span(records[4])));
  auto& record = std::get<ExecRecord>(decoded);
  EXPECT_EQ(record.args->bytes, "x\0******\0"sv);
  EXPECT_TRUE(record.args->truncated);
  EXPECT_EQ(record.args_size, event->args_size);
  EXPECT_EQ(record.env_size, 10U);
}

TEST_F(RecorderTest, LossesAreDifferences) {
  begin();
  bpftrap_lost lost{};
  lost.records[BPFTRAP_RECORD_EXIT] = 3;
  recorder_->account(lost);
  recorder_->account(lost);
  lost.records[BPFTRAP_RECORD_EXIT] = 5;
  recorder_->account(lost);
  std::vector<std::uint64_t> counts;
  for (const std::string& record : finish()) {
    Recorded recorded = decode_recorded(std::as_bytes(std::span(record)), Machine{});
    if (const auto* loss = std::get_if<LossRecord>(&recorded)) {
      counts.push_back(loss->lost.records[BPFTRAP_RECORD_EXIT]);
    }
  }
  EXPECT_EQ(counts, (std::vector<std::uint64_t>{3, 2}));
}

TEST_F(RecorderTest, EachSecondABatchIsComplete) {
  begin();
  handle(exec_with("x\0"sv));
  recorder_->account({});
  EXPECT_EQ(kinds_of(read_recording(out_).records).back(), BPFTRAP_RECORD_EXEC);
}

}  // namespace
}  // namespace bpftrap
