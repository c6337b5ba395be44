// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/command_lines.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace bpftrap {
namespace {

using namespace std::literals;

// In the initial pid namespace.
Process process_of(ProcessId id) {
  Process process;
  process.id = id;
  process.local_pid = id.pid;
  return process;
}

ExecRecord executed(ProcessId id, std::string_view args) {
  ExecRecord record;
  record.process = process_of(id);
  record.filename = "/bin/x";
  record.args = Arguments{args, false};
  return record;
}

TEST(CommandLines, TheLastExecCounts) {
  CommandLines lines;
  ProcessId id{5, 100};
  lines.remember(executed(id, "a\0"sv));
  ExecRecord last = executed(id, "b\0"sv);
  last.exe = {ProcessFile::Kind::path, "/bin/y", 0, false};
  last.cwd = {ProcessFile::Kind::path, "/tmp", 0, false};
  lines.remember(last);
  auto line = lines.take(process_of(id));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->args, "b\0"s);
  EXPECT_EQ(line->filename, "/bin/x");
  EXPECT_EQ(line->exe, "/bin/y");
  EXPECT_EQ(line->cwd, "/tmp");
  EXPECT_FALSE(lines.take(process_of(id))) << "taken out";
  EXPECT_EQ(lines.size(), 0U);
}

TEST(CommandLines, EachStringTakesRoom) {
  CommandLines lines;
  ExecRecord record = executed({5, 100}, "a\0"sv);
  lines.remember(record);
  std::size_t before = lines.bytes();
  record.exe = {ProcessFile::Kind::path, "/bin/y", 0, false};
  record.cwd = {ProcessFile::Kind::path, "/tmp", 0, false};
  lines.remember(record);
  EXPECT_EQ(lines.bytes(), before + 10);
  lines.take(process_of({5, 100}));
  EXPECT_EQ(lines.bytes(), 0U);
}

TEST(CommandLines, APidThatIsUsedAgainIsAnotherProcess) {
  CommandLines lines;
  lines.remember(executed({5, 100}, "old\0"sv));
  EXPECT_FALSE(lines.take(process_of({5, 200})));
  EXPECT_TRUE(lines.take(process_of({5, 100})));
}

TEST(CommandLines, AnEndThatIsNotReportedFreesTheRoom) {
  CommandLines lines;
  lines.remember(executed({5, 100}, "a\0"sv));
  lines.remember(executed({6, 100}, "b\0"sv));
  lines.forget(GoneRecord{{5, 100}, 5});
  EXPECT_EQ(lines.size(), 1U);
  lines.forget(GoneRecord{{6, 200}, 0});
  EXPECT_EQ(lines.size(), 1U) << "another process";
  lines.forget(GoneRecord{{6, 100}, 6});
  EXPECT_EQ(lines.bytes(), 0U);
}

// Higher than every pid of the kernel (PID_MAX_LIMIT, include/linux/threads.h).
constexpr Pid nobody = 4194304;

TEST(CommandLines, ForgetsTheDead) {
  CommandLines lines;
  lines.remember(executed({nobody, 1}, "dead\0"sv));
  lines.remember(executed({static_cast<Pid>(::getpid()), 1}, "alive\0"sv));
  lines.mark_dead();
  lines.forget_dead();
  EXPECT_EQ(lines.size(), 1U);
}

TEST(CommandLines, AnEndThatIsStillToBeReadHasItsLine) {
  CommandLines lines;
  lines.remember(executed({nobody, 1}, "first\0"sv));
  lines.mark_dead();
  // The ring buffer already held these execs, and both ends.
  lines.remember(executed({nobody + 1, 1}, "second\0"sv));
  lines.remember(executed({nobody, 1}, "third\0"sv));
  auto line = lines.take(process_of({nobody, 1}));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->args, "third\0"s);
  lines.forget_dead();
  EXPECT_TRUE(lines.take(process_of({nobody + 1, 1}))) << "the sweep does not know this process";
}

TEST(CommandLines, KeepsNoneOfProcessesWhoseEndsAreNeverTold) {
  CommandLines lines;
  for (Pid i = 0; i < 3 * Sweep<Pid>::least; ++i) {
    lines.remember(executed({nobody + i, 1}, "dead\0"sv));
    if (lines.wants_sweep()) {
      lines.mark_dead();
      lines.forget_dead();
    }
    ASSERT_LE(lines.size(), Sweep<Pid>::least);
  }
}

// An exec whose command line takes `size` bytes, filename included.
ExecRecord executed_long(Pid pid, std::size_t size) {
  static std::string args;
  ExecRecord record = executed({pid, 1}, "");
  args.assign(size - record.filename->size(), 'x');
  record.args->bytes = args;
  return record;
}

constexpr std::size_t kib = 1024;
constexpr std::size_t of_entry = CommandLines::bytes_of_entry;

TEST(CommandLines, WhatFindsNoRoomIsNotKeptAndTheRestIsWhole) {
  CommandLines lines(4 * kib);
  for (Pid pid = 0; pid < 5; ++pid) {
    lines.remember(executed_long(pid, kib - of_entry));
  }
  EXPECT_EQ(lines.refused(), 1U);
  EXPECT_EQ(lines.bytes(), 4 * kib);
  EXPECT_FALSE(lines.take(process_of({4, 1})));
  EXPECT_EQ(lines.take(process_of({0, 1}))->args->size(), kib - of_entry - "/bin/x"sv.size());
  EXPECT_EQ(lines.bytes(), 3 * kib) << "an end frees its bytes";
  lines.remember(executed_long(5, kib - of_entry));
  EXPECT_TRUE(lines.take(process_of({5, 1})));
  EXPECT_EQ(lines.refused(), 1U);
}

TEST(CommandLines, AnExecThatFindsNoRoomLeavesNoOlderOne) {
  CommandLines lines(kib);
  lines.remember(executed({1, 1}, "short\0"sv));
  lines.remember(executed_long(1, kib));
  EXPECT_FALSE(lines.take(process_of({1, 1}))) << "the stored line belonged to an earlier exec";
  lines.remember(executed_long(1, kib), true);
  auto line = lines.take(process_of({1, 1}));
  ASSERT_TRUE(line) << "it executed something";
  EXPECT_EQ(line->filename, std::nullopt);
  EXPECT_EQ(line->args, std::nullopt);
  EXPECT_EQ(lines.bytes(), 0U);
  EXPECT_EQ(lines.size(), 0U);
}

TEST(CommandLines, LongOnesLeaveHalfOfTheRoomToOthers) {
  CommandLines lines(64 * kib);
  for (Pid pid = 0; pid < 100; ++pid) {
    lines.remember(executed_long(pid, 16 * kib - of_entry));
  }
  EXPECT_EQ(lines.bytes(), 32 * kib);
  for (Pid pid = 100; pid < 132; ++pid) {
    lines.remember(executed_long(pid, kib - of_entry));
    EXPECT_TRUE(lines.take(process_of({pid, 1})));
  }
  EXPECT_EQ(lines.refused(), 98U);
}

TEST(CommandLines, RoomIsGivenBackByWhateverForgets) {
  CommandLines lines;
  lines.remember(executed_long(nobody, 20 * kib));
  lines.remember(executed_long(nobody, 30 * kib));
  EXPECT_EQ(lines.bytes(), 30 * kib + of_entry);
  lines.remember(executed({nobody, 1}, "short\0"sv));
  lines.mark_dead();
  lines.forget_dead();
  EXPECT_EQ(lines.bytes(), 0U);
  for (Pid pid = 0; pid < 1100; ++pid) {  // half of them, if a long one were still charged
    lines.remember(executed_long(pid, 32 * kib));
  }
  EXPECT_EQ(lines.bytes(),
            CommandLines::bytes_most / 2 / (32 * kib + of_entry) * (32 * kib + of_entry));
}

OlderProcess older(Pid pid, std::uint64_t ticks, std::string_view args) {
  OlderProcess process{pid, ticks, {}};
  process.line.args = args;
  return process;
}

TEST(CommandLines, OlderProcessesAreFoundByTheirTicks) {
  std::uint64_t second = 1'000'000'000;
  CommandLines lines;
  lines.add_older(older(70, 1234, "prog\0arg\0"sv));
  EXPECT_FALSE(lines.take(process_of({71, 12 * second})));
  auto line = lines.take(process_of({70, 12 * second + 345'678'901}));
  ASSERT_TRUE(line) << "1234 ticks of 10 ms are 12.34 s";
  EXPECT_EQ(line->args, "prog\0arg\0"s);
  EXPECT_EQ(line->filename, std::nullopt) << "/proc does not show it";
}

TEST(CommandLines, AnotherStartIsAnotherProcess) {
  CommandLines lines;
  lines.add_older(older(70, 1234, "prog\0"sv));
  EXPECT_FALSE(lines.take(process_of({70, 12'350'000'000})));
  EXPECT_EQ(lines.size(), 0U) << "another process has the pid now";
}

TEST(CommandLines, WhatWasSeenLiveGoesFirst) {
  CommandLines lines;
  lines.remember(executed({70, 12'345'000'000}, "live\0"sv));
  lines.add_older(older(70, 1234, "from proc\0"sv));
  auto line = lines.take(process_of({70, 12'345'000'000}));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->args, "live\0"s);
  EXPECT_EQ(lines.size(), 0U);
}

TEST(CommandLines, AnExecReplacesWhatWasReadEvenWhereItFindsNoRoom) {
  CommandLines lines(CommandLines::bytes_of_entry + 100);
  lines.add_older(older(70, 1234, "from proc\0"sv));
  EXPECT_EQ(lines.size(), 1U);
  ExecRecord record = executed_long(70, kib);
  record.process.id.start_ns = 12'345'000'000;
  lines.remember(record);
  EXPECT_FALSE(lines.take(record.process));
  EXPECT_EQ(lines.bytes(), 0U);
}

TEST(CommandLines, OlderOnesAreBoundedAsWell) {
  CommandLines lines(4 * (CommandLines::bytes_of_entry + 2));
  for (Pid pid = 1; pid <= 8; ++pid) {
    lines.add_older(older(pid, 1, "x\0"sv));
  }
  EXPECT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines.refused(), 4U);
}

}  // namespace
}  // namespace bpftrap
