// SPDX-License-Identifier: GPL-2.0-only
// The path of a record, with a ring buffer that the test fills.
#include "core/trace/tracer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "core/os/file.h"
#include "core/output/json_sink.h"
#include "core/output/output_file.h"
#include "unit/producer.h"

namespace bpftrap {
namespace {

using namespace std::literals;

// Writes a `lost` record for each record, because that needs no field table. The text of a record
// decides its handling: "keep", "malformed", or anything else.
class Handler final : public RecordHandler {
 public:
  Result handle(std::span<const std::byte> bytes, Sink& sink) override {
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    handled.push_back(text);
    if (text == "keep") {
      return Result::kept;
    }
    if (text == "malformed") {
      return Result::malformed;
    }
    sink.write(LostRecord{BootTime(1ns), 1000});
    return Result::written;
  }
  std::uint64_t lost_records(const bpftrap_lost& lost) const override { return lost.records[1]; }

  std::vector<std::string> handled;
};

class Observer final : public TraceObserver {
 public:
  explicit Observer(std::string& log) : log_(log) {}

  void live(BootTime since) override {
    log_ += "live\n";
    EXPECT_LE(since, BootClock::now());
  }
  void account(const bpftrap_lost& lost) override {
    log_ += "account " + std::to_string(lost.records[1]) + '\n';
  }

 private:
  std::string& log_;
};

class TracerTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "bpftrap-tracer-" + std::to_string(::getpid());
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  // Traces until a stop. Returns the lines of output.
  std::vector<std::string> run(const TracerOptions& options) {
    Output output(open_output_file(path_), path_);
    run(options, output);
    std::vector<std::string> lines;
    std::string text = read_file(path_).value_or("");
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = text.find('\n', at);
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  void run(const TracerOptions& options, Output& output) {
    RingBuffer ring(producer_.fd(), 4096);
    LostCounter lost({1, [this](bpftrap_lost* per_cpu) {
                        *per_cpu = lost_;
                        return true;
                      }});
    WallClock clock;
    JsonSink sink({output.buffer(), clock});
    Tracer tracer({loop_,
                   signals_,
                   {ring, lost, [this] { detach(); }},
                   handler_,
                   {sink, output, clock},
                   observer_,
                   program_,
                   [this] { log_ += "confine\n"; }},
                  options);
    tracer.run();
  }

  void detach() {
    log_ += "detach\n";
    if (!at_detach_.empty()) {
      producer_.put(at_detach_);
    }
  }

  static TracerOptions within(std::chrono::nanoseconds timeout) {
    return {"exec", std::nullopt, timeout};
  }

  Producer producer_{4096};
  EventLoop loop_;
  StopSignals signals_;
  Handler handler_;
  std::string log_;
  bpftrap_lost lost_{};
  TraceObserver* observer_ = nullptr;
  ProgramRun* program_ = nullptr;
  std::string at_detach_;
  std::string path_;
};

TEST_F(TracerTest, RecordsStandBetweenStartAndStop) {
  producer_.put("one");
  producer_.put("keep");
  producer_.put("two");
  std::vector<std::string> lines = run(within(1ns));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].rfind(R"({"event":"start",)", 0), 0U) << lines[0];
  EXPECT_NE(lines[0].find(R"("command":"exec")"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find(R"("count":1000)"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find(R"("count":1000)"), std::string::npos) << lines[2];
  EXPECT_EQ(lines[3].rfind(R"({"event":"stop",)", 0), 0U) << lines[3];
  EXPECT_NE(lines[3].find(R"("records":2,"lost":0)"), std::string::npos) << lines[3];
}

TEST_F(TracerTest, WhatComesBeforeTheProgramsAreOffIsHandled) {
  at_detach_ = "last";
  EXPECT_EQ(run(within(1ns)).size(), 3U);
  EXPECT_EQ(handler_.handled, (std::vector{"last"s}));
  EXPECT_EQ(log_, "confine\ndetach\n");
}

// A BPF program was preempted while it wrote a record.
TEST_F(TracerTest, ARecordThatIsNeverFinishedDoesNotDelayTheEndForEver) {
  producer_.put("first");
  producer_.put("unfinished", BPF_RINGBUF_BUSY_BIT);
  producer_.put("behind it");
  testing::internal::CaptureStderr();
  std::vector<std::string> lines = run(within(1ns));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bpftrap: a record was not finished in time: 48 bytes of records are missing\n");
  EXPECT_EQ(handler_.handled, (std::vector{"first"s}));
  EXPECT_NE(lines.back().find(R"("records":1,"lost":1)"), std::string::npos) << lines.back();
}

TEST_F(TracerTest, CountEndsAfterSoManyRecords) {
  producer_.put("keep");
  for (int i = 0; i < 5; ++i) {
    producer_.put("record " + std::to_string(i));
  }
  std::vector<std::string> lines = run({"exec", 3, 1ns});
  EXPECT_EQ(lines.size(), 5U);
  EXPECT_NE(lines.back().find(R"("records":3,)"), std::string::npos) << lines.back();
  EXPECT_EQ(handler_.handled.back(), "record 2") << "records that are only kept do not count";
}

TEST_F(TracerTest, TimeoutEndsIt) {
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run(within(50ms)).size(), 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 50ms);
}

TEST_F(TracerTest, ASignalEndsIt) {
  ::raise(SIGTERM);
  EXPECT_EQ(run({"exec", std::nullopt, std::nullopt}).size(), 2U);
}

TEST_F(TracerTest, AStopFromBeforeTheRunEndsIt) {
  loop_.stop();
  EXPECT_EQ(run({"exec", std::nullopt, std::nullopt}).size(), 2U);
}

TEST_F(TracerTest, LossesAreReportedAtTheEndAndCounted) {
  lost_.records[1] = 7;
  lost_.records[2] = 100;  // no BPF program would have written these
  std::vector<std::string> lines = run(within(1ns));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].rfind(R"({"event":"lost",)", 0), 0U) << lines[1];
  EXPECT_NE(lines[1].find(R"("count":7)"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find(R"("records":0,"lost":7)"), std::string::npos) << lines[2];
}

TEST_F(TracerTest, LossesAreReportedEachSecondOnce) {
  lost_.records[1] = 7;
  std::vector<std::string> lines = run(within(1500ms));
  ASSERT_EQ(lines.size(), 3U) << "no more records were lost";
  EXPECT_NE(lines[1].find(R"("count":7)"), std::string::npos) << lines[1];
}

TEST_F(TracerTest, AMalformedRecordIsLost) {
  producer_.put("malformed");
  producer_.put("good");
  std::vector<std::string> lines = run(within(1ns));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_NE(lines[2].find(R"("count":1})"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find(R"("records":1,"lost":1)"), std::string::npos) << lines[3];
}

TEST_F(TracerTest, AnObserverIsToldOfTheStagesInOrder) {
  Observer observer(log_);
  observer_ = &observer;
  lost_.records[1] = 7;
  run(within(1ns));
  EXPECT_EQ(log_, "confine\nlive\ndetach\naccount 7\n");
}

TEST_F(TracerTest, AReaderThatIsGoneEndsIt) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Output output(open_output_file(path_), path_);
  Timer leave;
  loop_.watch(leave.fd(), EPOLLIN, [&](std::uint32_t) { reader.reset(); });
  leave.arm(20ms);
  run({"exec", std::nullopt, std::nullopt}, output);
  EXPECT_TRUE(output.reader_gone());
}

TEST_F(TracerTest, AReaderThatIsGoneFromTheBeginningEndsIt) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Output output(open_output_file(path_), path_);
  reader.reset();
  run({"exec", std::nullopt, std::nullopt}, output);
  EXPECT_TRUE(output.reader_gone());
}

TEST_F(TracerTest, AnOutputThatFailsIsAnError) {
  Output output(open_output_file("/dev/full"), "/dev/full");
  EXPECT_THROW(run(within(1ns), output), Error);
}

TEST_F(TracerTest, ProgramStartsBehindTheStartRecordAndItsEndIsTheStop) {
  testing::internal::CaptureStderr();
  Program program(ProgramOptions{.argv = {"/bin/sh", "-c", "exec grep -c start " + path_},
                                 .stdout_to_stderr = true});
  ProgramRun program_run(program, loop_);
  program_ = &program_run;
  EXPECT_EQ(run({"exec", std::nullopt, std::nullopt}).size(), 2U);
  EXPECT_EQ(program.exit_status(), 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "1\n");
}

}  // namespace
}  // namespace bpftrap
