// SPDX-License-Identifier: GPL-2.0-only
// What the stream makes of records, as the BPF programs would leave them in the ring buffer.
#include "core/trace/process_stream.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "unit/wire.h"

namespace bpftrap {
namespace {

using namespace std::literals;
using Result = RecordHandler::Result;

class ProcessStreamTest : public testing::Test {
 protected:
  // Above any pid that the kernel gives (PID_MAX_LIMIT, include/linux/threads.h).
  static constexpr Pid nobody = 4194304;

  Result exec(ProcessStream& stream, std::string_view args) {
    out_.clear();
    return stream.handle(wire_exec("/bin/x", "", args, args.size()), sink_);
  }
  Result exit(ProcessStream& stream) {
    out_.clear();
    bpftrap_exit_event event = wire_exit(0);
    event.flags = BPFTRAP_EXIT_EXECUTED;
    return stream.handle(bytes_of(event), sink_);
  }
  // Many that nobody is.
  void fork_many(ProcessStream& stream) {
    for (Pid i = 0; i <= Sweep<Pid>::least; ++i) {
      fork(stream, nobody + i, 1);
    }
  }
  void fork(ProcessStream& stream, Pid child, Pid parent) {
    bpftrap_birth_event event{};
    event.header = wire_header(BPFTRAP_RECORD_FORK, sizeof event);
    event.start_boot_ns = event.parent_start_boot_ns = 1;
    event.pid = child;
    event.parent_pid = parent;
    EXPECT_EQ(stream.handle(bytes_of(event), sink_), Result::kept);
  }

  std::string out_;
  WallClock clock_;
  Sink sink_{JsonSink(out_, clock_)};
};

TEST_F(ProcessStreamTest, AnEndWhoseCommandLineFoundNoRoomIsWritten) {
  // The process is older than the tracer, or younger.
  for (auto live_since : {BootTime(4500ms), BootTime(3500ms)}) {
    ProcessStream stream(
        {.write_execs = true, .exits_of_execs_only = true, .command_line_bytes = 1024});
    stream.live(live_since);
    EXPECT_EQ(exec(stream, "short\0"sv), Result::written);
    EXPECT_EQ(exec(stream, std::string(1000, 'x') + '\0'), Result::written);
    EXPECT_EQ(exit(stream), Result::written);
    EXPECT_NE(out_.find(R"("filename":null,"args":null)"), std::string::npos) << out_;
  }
}

TEST_F(ProcessStreamTest, AnOlderProcessThatExecutedNothingSinceIsNotWritten) {
  ProcessStream stream({.write_execs = true, .exits_of_execs_only = true});
  stream.live(BootTime(4500ms));
  EXPECT_EQ(exit(stream), Result::kept);
}

TEST_F(ProcessStreamTest, WhoseIdsAreOthersLooksForNoDead) {
  ProcessStream own({.tree_view = true}), other({.tree_view = true, .pids_are_own = false});
  fork_many(own);
  fork_many(other);
  EXPECT_TRUE(own.wants_sweep());
  EXPECT_FALSE(other.wants_sweep());
  EXPECT_FALSE(ProcessStream({.read_older = true, .pids_are_own = false}).has_idle_work());
}

// A process that lives until it is told to end.
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

TEST_F(ProcessStreamTest, AllHaveEndedOnlyWhenASweepFindsNobody) {
  ProcessStream stream({.write_execs = true});
  Living child;
  fork(stream, child.pid(), 1);
  EXPECT_FALSE(stream.all_ended());
  EXPECT_TRUE(stream.wants_sweep());
  stream.mark_dead();
  EXPECT_FALSE(stream.wants_sweep());
  stream.forget_dead();
  EXPECT_FALSE(stream.all_ended()) << "it lives";
  child.end();
  stream.mark_dead();
  fork(stream, nobody, child.pid());
  stream.forget_dead();
  EXPECT_FALSE(stream.all_ended()) << "it had a child, which nobody has looked for";
  stream.mark_dead();
  EXPECT_FALSE(stream.all_ended()) << "not before the sweep is through";
  stream.forget_dead();
  EXPECT_TRUE(stream.all_ended());
}

TEST_F(ProcessStreamTest, ASweepFromBeforeTheQuestionIsNoAnswer) {
  ProcessStream stream({});
  stream.mark_dead();
  EXPECT_FALSE(stream.all_ended());
  stream.forget_dead();
  EXPECT_FALSE(stream.all_ended()) << "PROGRAM may have forked in between";
  stream.mark_dead();
  stream.forget_dead();
  EXPECT_TRUE(stream.all_ended());
}

TEST_F(ProcessStreamTest, AnEndThatIsToldNeedsNoSweepToBeForgotten) {
  ProcessStream stream({});
  stream.live(BootTime(4500ms));
  bpftrap_process process = wire_process();
  bpftrap_birth_event event{};
  event.header = wire_header(BPFTRAP_RECORD_FORK, sizeof event);
  event.start_boot_ns = process.start_boot_ns;
  event.pid = process.pid;
  stream.handle(bytes_of(event), sink_);
  EXPECT_EQ(exit(stream), Result::written);
  EXPECT_FALSE(stream.all_ended());
  stream.mark_dead();
  stream.forget_dead();
  EXPECT_TRUE(stream.all_ended());
}

}  // namespace
}  // namespace bpftrap
