// SPDX-License-Identifier: GPL-2.0-only
// The output of the stream for records that the BPF programs would leave in the ring buffer.
#include "core/trace/process_stream.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "bpf/scope.h"
#include "core/output/json_sink.h"
#include "unit/wire.h"

namespace bpftrap {
namespace {

using namespace std::literals;
using Result = RecordHandler::Result;

class ProcessStreamTest : public testing::Test {
 protected:
  // Higher than every pid of the kernel (PID_MAX_LIMIT, include/linux/threads.h).
  static constexpr Pid nobody = 4194304;

  Result exec(ProcessStream& stream, std::string_view args) {
    out_.clear();
    return stream.handle(wire_exec("/bin/x", "", args, args.size()), sink_);
  }
  Result failed_exec(ProcessStream& stream) {
    out_.clear();
    std::vector<std::byte> bytes = wire_exec("/bin/x", "", "a\0"sv, 2);
    bpftrap_exec_event event;
    std::memcpy(&event, bytes.data(), sizeof event);
    event.error = ENOENT;
    std::memcpy(bytes.data(), &event, sizeof event);
    return stream.handle(bytes, sink_);
  }
  Result exit(ProcessStream& stream, std::uint32_t exec_id = 21, std::uint64_t max_rss_pages = 3) {
    out_.clear();
    bpftrap_exit_event event = wire_exit(0);
    event.flags = BPFTRAP_EXIT_EXECUTED;
    event.exec_id = exec_id;
    event.max_rss_pages = max_rss_pages;
    return stream.handle(bytes_of(event), sink_);
  }
  // Forks of processes that do not exist.
  void fork_many(ProcessStream& stream, bool in_own_namespace) {
    for (Pid i = 0; i <= Sweep<Pid>::least; ++i) {
      fork(stream, nobody + i, 1, in_own_namespace ? nobody + i : 0);
    }
  }
  void fork(ProcessStream& stream, Pid child, Pid parent) { fork(stream, child, parent, child); }
  void fork(ProcessStream& stream, Pid child, Pid parent, Pid local_pid) {
    bpftrap_fork_event event = wire_fork();
    event.process.start_boot_ns = event.creator_start_boot_ns = 1;
    event.process.pid = child;
    event.creator_pid = parent;
    event.process.local_pid = local_pid;
    EXPECT_EQ(stream.handle(bytes_of(event), sink_), Result::kept);
  }

  std::string out_;
  WallClock clock_;
  JsonSink sink_{{out_, clock_}};
};

TEST_F(ProcessStreamTest, AnEndWhoseCommandLineFoundNoRoomIsWritten) {
  // The process is older than the tracer, then younger.
  for (auto live_since : {BootTime(4500ms), BootTime(3500ms)}) {
    ProcessStream stream(
        {.write_execs = true, .exits_of_execs_only = true, .command_line_bytes = 1024});
    stream.live(live_since);
    EXPECT_EQ(exec(stream, "short\0"sv), Result::written);
    EXPECT_EQ(exec(stream, std::string(1000, 'x') + '\0'), Result::written);
    EXPECT_EQ(exit(stream), Result::written);
    EXPECT_NE(out_.find(R"("filename":null,"exe":null,"cwd":null,"args":null)"), std::string::npos)
        << out_;
  }
}

TEST_F(ProcessStreamTest, AnEndBehindAnExecThatIsNotKnownHasNoCommandLine) {
  ProcessStream stream({.write_execs = true, .exits_of_execs_only = true});
  stream.live(BootTime(3500ms));
  EXPECT_EQ(exec(stream, "older\0"sv), Result::written);
  EXPECT_EQ(exit(stream, 22), Result::written) << "one of its execs was reported";
  EXPECT_NE(out_.find(R"("args":null,"args_truncated":null)"), std::string::npos) << out_;
  EXPECT_EQ(exec(stream, "last\0"sv), Result::written);
  EXPECT_EQ(exit(stream, 21), Result::written);
  EXPECT_NE(out_.find(R"("args":["last"],"args_truncated":false)"), std::string::npos) << out_;
}

TEST_F(ProcessStreamTest, ThePeakOfTheLastProgramIsKnownIfItIsTheLargest) {
  ProcessStream stream({.write_execs = true});
  stream.live(BootTime(3500ms));
  std::vector<std::byte> bytes = wire_exec("/bin/x", "", "a\0"sv, 2);
  reinterpret_cast<bpftrap_exec_event*>(bytes.data())->max_rss_pages = 3;
  for (auto [pages, peak] : {std::pair(3, "null"), {4, "16384"}}) {
    EXPECT_EQ(stream.handle(bytes, sink_), Result::written);
    EXPECT_EQ(exit(stream, 21, static_cast<std::uint64_t>(pages)), Result::written);
    EXPECT_NE(out_.find(R"("peak_rss_bytes":)"s + peak), std::string::npos) << out_;
  }
}

TEST_F(ProcessStreamTest, AnOlderProcessThatExecutedNothingSinceIsNotWritten) {
  ProcessStream stream({.write_execs = true, .exits_of_execs_only = true});
  stream.live(BootTime(4500ms));
  EXPECT_EQ(exit(stream), Result::kept);
}

TEST_F(ProcessStreamTest, OnlyTheEventsThatAreWantedAreWritten) {
  ProcessStream failures({.write_failed_execs = true, .exits_of_execs_only = true});
  failures.live(BootTime(3500ms));
  EXPECT_EQ(exec(failures, "a\0"sv), Result::kept);
  EXPECT_EQ(failed_exec(failures), Result::written);
  EXPECT_EQ(exit(failures), Result::written);
  EXPECT_NE(out_.find(R"("filename":"/bin/x","exe":null,"cwd":null,"args":["a"])"),
            std::string::npos)
      << out_;

  ProcessStream execs({.write_execs = true, .write_exits = false});
  execs.live(BootTime(3500ms));
  EXPECT_EQ(exec(execs, "a\0"sv), Result::written);
  EXPECT_EQ(failed_exec(execs), Result::kept);
  EXPECT_EQ(exit(execs), Result::kept);
}

ArgumentFilter matching(const std::string& expression) {
  ArgumentFilter filter;
  filter.require(Regex(expression));
  return filter;
}

TEST_F(ProcessStreamTest, ArgumentsDecide) {
  ProcessStream stream({.write_execs = true,
                        .write_failed_execs = true,
                        .exits_of_execs_only = true,
                        .arguments = matching("^a b$")});
  stream.live(BootTime(3500ms));
  EXPECT_EQ(exec(stream, "c\0"sv), Result::kept);
  EXPECT_EQ(failed_exec(stream), Result::kept);
  EXPECT_EQ(exit(stream), Result::kept);
  EXPECT_EQ(exec(stream, "a\0b\0"sv), Result::written);
  EXPECT_EQ(exit(stream), Result::written);
}

TEST_F(ProcessStreamTest, TheEndOfAPrintedProcessIsPrinted) {
  ProcessStream execs({.write_execs = true,
                       .exits_of_execs_only = true,
                       .arguments = matching("^a b$"),
                       .command_line_bytes = 1024});
  execs.live(BootTime(3500ms));
  EXPECT_EQ(exec(execs, "a\0b\0"sv), Result::written);
  EXPECT_EQ(exec(execs, std::string(1000, 'x')), Result::kept) << "it finds no room";
  EXPECT_EQ(exit(execs), Result::written);

  ProcessStream ends({.arguments = matching("^a b$")});
  ends.live(BootTime(3500ms));
  EXPECT_EQ(exec(ends, "a\0b\0"sv), Result::kept);
  EXPECT_EQ(exec(ends, "c\0"sv), Result::kept);
  EXPECT_EQ(exit(ends), Result::kept) << "the last exec decides";
}

TEST_F(ProcessStreamTest, RedactsBeforeItMatches) {
  ProcessStreamOptions options{.write_execs = true, .arguments = matching("secret")};
  options.redaction.add(Regex("secret[0-9]"));
  ProcessStream hidden(options);
  hidden.live(BootTime(3500ms));
  EXPECT_EQ(exec(hidden, "a\0secret1\0"sv), Result::kept);

  options.arguments = {};
  ProcessStream stream(options);
  stream.live(BootTime(3500ms));
  EXPECT_EQ(exec(stream, "a\0xsecret1y\0"sv), Result::written);
  EXPECT_NE(out_.find(R"("args":["a","x***y"])"), std::string::npos) << out_;
  EXPECT_EQ(exit(stream), Result::written);
  EXPECT_NE(out_.find(R"("args":["a","x***y"])"), std::string::npos) << out_;
}

TEST_F(ProcessStreamTest, BirthsAreWrittenIfTheyAreWantedAndLive) {
  bpftrap_fork_event event = wire_fork();
  auto result = [&](ProcessStreamOptions options, BootTime live_since) {
    ProcessStream stream(options);
    stream.live(live_since);
    out_.clear();
    return stream.handle(bytes_of(event), sink_);
  };
  EXPECT_EQ(result({.write_forks = true}, BootTime(4500ms)), Result::kept) << "filtered out";
  event.flags = BPFTRAP_FORK_WANTED;
  EXPECT_EQ(result({.write_forks = true}, BootTime(4500ms)), Result::written);
  EXPECT_NE(out_.find(R"({"event":"fork",)"), std::string::npos) << out_;
  EXPECT_NE(out_.find(R"("id":"1234-4000000000","parent_id":"1200-3000000000")"), std::string::npos)
      << out_;
  EXPECT_EQ(result({.write_forks = true}, BootTime(5500ms)), Result::kept) << "too early";
  EXPECT_EQ(result({.keep_births = true}, BootTime(4500ms)), Result::kept) << "only for state";
}

TEST_F(ProcessStreamTest, OnlyLossesOfWhatIsWrittenAreCounted) {
  bpftrap_lost lost{};
  lost.records[BPFTRAP_RECORD_EXEC] = 1;
  lost.records[BPFTRAP_RECORD_EXIT] = 2;
  lost.records[BPFTRAP_KIND_FAILED] = 4;
  EXPECT_EQ(ProcessStream({.write_execs = true, .write_exits = false}).lost_records(lost), 1U);
  EXPECT_EQ(ProcessStream({.write_failed_execs = true}).lost_records(lost), 6U);
  EXPECT_EQ(ProcessStream({}).lost_records(lost), 2U);
  lost.records[BPFTRAP_RECORD_FORK] = 8;
  EXPECT_EQ(ProcessStream({}).lost_records(lost), 2U);
  EXPECT_EQ(ProcessStream({.write_forks = true}).lost_records(lost), 10U);
}

TEST_F(ProcessStreamTest, LongAndFailedExecsGiveWayIfTheOutputIsCrowded) {
  bool crowded = true;
  ProcessStream stream({.write_execs = true,
                        .write_failed_execs = true,
                        .output_crowded = [&crowded] { return crowded; }});
  stream.live(BootTime(3500ms));
  const std::string long_args = std::string(2000, 'x') + '\0';
  EXPECT_EQ(exec(stream, "short\0"sv), Result::written);
  EXPECT_EQ(exec(stream, long_args), Result::kept);
  EXPECT_EQ(failed_exec(stream), Result::kept);
  EXPECT_EQ(stream.lost_records({}), 2U);
  EXPECT_EQ(exit(stream), Result::written);
  EXPECT_NE(out_.find(long_args.c_str()), std::string::npos) << "the end has its command line";
  crowded = false;
  EXPECT_EQ(exec(stream, long_args), Result::written);
  EXPECT_EQ(stream.lost_records({}), 2U);
}

TEST_F(ProcessStreamTest, ProcessesOfOtherNamespacesAreNeverFoundDead) {
  ProcessStream own({.keep_births = true}), other({.keep_births = true});
  fork_many(own, true);
  fork_many(other, false);
  for (ProcessStream* stream : {&own, &other}) {
    EXPECT_TRUE(stream->wants_sweep());
    stream->mark_dead();
    stream->forget_dead();
  }
  EXPECT_EQ(own.born(), 0U);
  EXPECT_GT(other.born(), Sweep<Pid>::least);
}

// A process that lives until told to end.
class Living {
 public:
  Living() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;) {
        ::pause();
      }
    }
  }
  Living(const Living&) = delete;
  Living& operator=(const Living&) = delete;
  ~Living() { end(); }

  Pid pid() const { return static_cast<Pid>(pid_); }
  void end() const {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

TEST_F(ProcessStreamTest, ASweepForgetsTheDeadOfItsBeginning) {
  ProcessStream stream({.write_execs = true, .keep_births = true});
  Living child;
  fork(stream, child.pid(), 1);
  stream.mark_dead();
  stream.forget_dead();
  EXPECT_EQ(stream.born(), 1U) << "it lives";
  child.end();
  stream.mark_dead();
  fork(stream, nobody, child.pid());
  stream.forget_dead();
  EXPECT_EQ(stream.born(), 1U) << "its child was not swept out";
  stream.mark_dead();
  stream.forget_dead();
  EXPECT_EQ(stream.born(), 0U);
}

TEST_F(ProcessStreamTest, LossesAskForASweep) {
  ProcessStream stream({.write_execs = true});
  bpftrap_lost lost{};
  stream.account(lost);
  EXPECT_FALSE(stream.wants_sweep());
  lost.records[BPFTRAP_RECORD_EXIT] = 1;
  stream.account(lost);
  EXPECT_TRUE(stream.wants_sweep());
  stream.mark_dead();
  EXPECT_FALSE(stream.wants_sweep());
  stream.account(lost);
  EXPECT_FALSE(stream.wants_sweep()) << "no more records were lost";
  lost.records[BPFTRAP_RECORD_EXIT] = 2;
  lost.records[BPFTRAP_KIND_FAILED] = 4;
  stream.account(lost);
  EXPECT_FALSE(stream.wants_sweep()) << "the last sweep is less than ten seconds ago";

  ProcessStream other({.write_execs = true, .write_exits = false});
  lost = {};
  lost.records[BPFTRAP_RECORD_GONE] = 1;
  other.account(lost);
  EXPECT_TRUE(other.wants_sweep()) << "of an end that is not reported";
}

TEST_F(ProcessStreamTest, SaysOnceHowManyProcessesItCouldNotRemember) {
  ProcessStream stream({});
  bpftrap_lost lost{};
  lost.records[BPFTRAP_KIND_MARK] = 1;
  testing::internal::CaptureStderr();
  stream.account(lost);
  stream.account(lost);
  lost.records[BPFTRAP_KIND_MARK] = 3;
  stream.account(lost);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bpftrap: 1 process could not be tracked: filters may be wrong about it\n"
            "bpftrap: 2 processes could not be tracked: filters may be wrong about them\n");
}

TEST_F(ProcessStreamTest, AnEndThatIsNotReportedNeedsNoSweepToBeForgotten) {
  ProcessStream stream({.keep_births = true});
  fork(stream, nobody, 1);
  fork(stream, nobody + 1, nobody);
  bpftrap_gone_event event{wire_header(BPFTRAP_RECORD_GONE, sizeof event), 1, nobody + 1, 0};
  EXPECT_EQ(stream.handle(bytes_of(event), sink_), Result::kept);
  EXPECT_EQ(stream.born(), 1U);
}

TEST_F(ProcessStreamTest, AnEndThatIsReportedNeedsNoSweepToBeForgotten) {
  ProcessStream stream({.keep_births = true});
  stream.live(BootTime(4500ms));
  stream.handle(bytes_of(wire_fork()), sink_);
  EXPECT_EQ(stream.born(), 1U);
  EXPECT_EQ(exit(stream), Result::written);
  EXPECT_EQ(stream.born(), 0U);
}

// The exec record of wire_exec(), with variables that were announced to have `size` bytes.
std::vector<std::byte> exec_with_env(std::size_t size) {
  std::vector<std::byte> bytes = wire_exec("/bin/x", "", "a\0"sv, 2);
  auto* event = reinterpret_cast<bpftrap_exec_event*>(bytes.data());
  event->flags = BPFTRAP_EXEC_ENV_REQUESTED;
  event->env_len = static_cast<std::uint32_t>(size);
  return bytes;
}

TEST_F(ProcessStreamTest, VariablesArriveBeforeTheirExec) {
  ProcessStream stream({.write_execs = true});
  EXPECT_EQ(stream.handle(wire_environment("A=1\0"sv), sink_), Result::kept);
  EXPECT_EQ(stream.handle(wire_environment("B=2\0"sv), sink_), Result::kept);
  EXPECT_EQ(stream.handle(exec_with_env(8), sink_), Result::written);
  EXPECT_NE(out_.find(R"("env":["A=1","B=2"])"), std::string::npos) << out_;
  out_.clear();
  EXPECT_EQ(stream.handle(exec_with_env(0), sink_), Result::written);
  EXPECT_NE(out_.find(R"("env":[])"), std::string::npos) << "none matches: " << out_;
}

TEST_F(ProcessStreamTest, VariablesOfWhichSomeWereLostAreUnknown) {
  ProcessStream stream({.write_execs = true});
  stream.handle(wire_environment("B=2\0"sv), sink_);
  EXPECT_EQ(stream.handle(exec_with_env(8), sink_), Result::written);
  EXPECT_NE(out_.find(R"("env":null)"), std::string::npos) << out_;
}

}  // namespace
}  // namespace bpftrap
