// SPDX-License-Identifier: GPL-2.0-only
// The critical path of runs whose path is known by construction.
#include "core/analysis/critical_path.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/analysis/made_run.h"
#include "unit/analysis/tiles.h"

namespace bpftrap {
namespace {

using namespace std::literals;
using std::chrono::nanoseconds;

// `0:0-10 1:10-30`: process and milliseconds of each segment.
std::string text_of(const CriticalPath& path) {
  std::string text;
  for (const Segment& segment : path.segments) {
    auto ms = [](BootTime time) { return time.time_since_epoch() / 1ms; };
    text += fmt::format("{}{}:{}-{}", text.empty() ? "" : " ", segment.process, ms(segment.begin),
                        ms(segment.end));
  }
  return text;
}

std::string path_of(MadeRun& made, Index root = 0) {
  CriticalPath path = critical_path(made.done(), root);
  expect_tiles(path);
  return text_of(path);
}

TEST(CriticalPath, ChainOfChildren) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.add(0, 10ms, 40ms);
  made.add(0, 50ms, 90ms);
  made.add(2, 60ms, 80ms);
  EXPECT_EQ(path_of(made), "0:0-10 1:10-40 0:40-50 2:50-60 3:60-80 2:80-90 0:90-100");
}

TEST(CriticalPath, FanFollowsTheLast) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.add(0, 10ms, 30ms);
  made.add(0, 11ms, 95ms);
  made.add(0, 12ms, 60ms);
  EXPECT_EQ(path_of(made), "0:0-11 2:11-95 0:95-100");
}

// As `make -j2`: a job starts when another one ends.
TEST(CriticalPath, JobsFollowEachOther) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.add(0, 1ms, 30ms);
  made.add(0, 2ms, 50ms);
  made.add(0, 31ms, 45ms);  // in the place of 1
  made.add(0, 51ms, 99ms);
  EXPECT_EQ(path_of(made), "0:0-2 2:2-50 0:50-51 4:51-99 0:99-100");
}

TEST(CriticalPath, BusyParentDoesNotWait) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  made.at(0).cpu.user = 890ms;
  made.at(0).voluntary_switches = 1;
  Index awaited = made.add(0, 10ms, 100ms);
  made.at(awaited).at_birth.cpu = 5ms;
  made.at(awaited).at_end.cpu = 5ms;
  made.at(awaited).at_end.voluntary_switches = 1;
  Index in_background = made.add(0, 5ms, 500ms);
  made.at(in_background).at_end.state = 0;
  made.at(in_background).at_end.cpu = 400ms;
  EXPECT_EQ(path_of(made), "0:0-10 1:10-100 0:100-1000");
}

// A sibling has just woken the parent.
TEST(CriticalPath, EndDuringTheHandlingOfAnotherIsAwaited) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  Index first = made.add(0, 10ms, 500ms);
  Index second = made.add(0, 11ms, 501ms);
  made.at(first).at_end.voluntary_switches = 2;
  made.at(second).at_end.state = 0;
  made.at(second).at_end.voluntary_switches = 2;
  Index third = made.add(0, 502ms, 990ms);
  made.at(third).at_birth.cpu = 1ms;
  made.at(third).at_end.cpu = 2ms;
  made.at(0).cpu.user = 3ms;
  EXPECT_EQ(path_of(made), "0:0-11 2:11-501 0:501-502 3:502-990 0:990-1000");
}

// ld reads the output of lto-wrapper, whose end wakes it, and works on after that.
TEST(CriticalPath, EndThatWokeTheParentIsAwaited) {
  MadeRun made;
  made.add(no_index, 0ms, 2000ms);
  made.at(0).cpu.user = 700ms;
  Index child = made.add(0, 100ms, 1400ms);
  made.at(child).at_birth.cpu = 90ms;
  made.at(child).at_end.cpu = 92ms;
  made.at(child).at_end.state = 0;
  EXPECT_EQ(path_of(made), "0:0-100 1:100-1400 0:1400-2000");
  // It was awake for all of that time, without a CPU.
  made.at(child).at_end.cpu_wait = 1200ms;
  EXPECT_EQ(path_of(made), "0:0-2000");
}

TEST(CriticalPath, ReparentedDaemonIsNotAwaited) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  Index middle = made.add(0, 10ms, 20ms);
  Index daemon = made.add(middle, 15ms, 90ms);
  made.at(daemon).end_parent = no_index;
  EXPECT_EQ(path_of(made), "0:0-10 1:10-20 0:20-100");
}

// Clocks of CPUs differ by some microseconds.
TEST(CriticalPath, ChildMayEndShortlyAfterItsParent) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.add(0, 10ms, 100ms + 3us);
  EXPECT_EQ(path_of(made), "0:0-10 1:10-100");
}

TEST(CriticalPath, LostEndsAndBirths) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  Index without_end = made.add(0, 10ms, 50ms);
  made.at(without_end).ended = made.at(without_end).end_recorded = false;
  Index without_birth = made.add(0, 55ms, 70ms);
  made.at(without_birth).born = false;
  EXPECT_EQ(path_of(made), "0:0-55 2:55-70 0:70-100");
}

TEST(CriticalPath, RunningRootEndsWithTheRecording) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.add(0, 10ms, 70ms);
  made.at(0).ended = made.at(0).end_recorded = false;
  made.run.stop = BootTime(90ms);
  EXPECT_EQ(path_of(made), "0:0-10 1:10-70 0:70-90");
}

// A run that hangs waits for the last child.
TEST(CriticalPath, RunningRootWaitsForItsRunningChild) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.add(0, 10ms, 100ms);
  made.add(0, 20ms, 70ms);
  Index last = made.add(0, 71ms, 100ms);
  for (Index running : {Index{0}, Index{1}, last}) {
    made.at(running).ended = made.at(running).end_recorded = false;
  }
  EXPECT_EQ(path_of(made), "0:0-20 2:20-70 0:70-71 3:71-100");
}

TEST(CriticalPath, OlderRootBeginsWithTheRecording) {
  MadeRun made;
  made.run.start = BootTime(20ms);
  made.add(no_index, 1ms, 100ms);
  made.at(0).older = true;
  made.add(0, 10ms, 60ms);
  EXPECT_EQ(path_of(made), "1:20-60 0:60-100");
}

TEST(CriticalPath, ExecsDivide) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  Index child = made.add(0, 10ms, 900ms);
  made.execute(child, 12ms, "sh -c x");
  made.execute(child, 300ms, "cc x.c");
  made.execute(child, 300ms, "nothing", 2);
  made.at(child).cpu.user = 890ms;
  CriticalPath path = critical_path(made.done(), 0);
  expect_tiles(path);
  EXPECT_EQ(text_of(path), "0:0-10 1:10-300 1:300-900 0:900-1000");
  EXPECT_EQ(made.run.text(path.segments[1].program->filename), "/bin/sh");
  EXPECT_EQ(made.run.text(path.segments[2].program->filename), "/bin/cc");
  EXPECT_TRUE(path.segments[1].estimated);
  EXPECT_EQ(path.segments[1].cpu, 290ms);
}

TEST(CriticalPath, LeafHasItsOwnTimes) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  made.at(0).cpu.user = 300ms;
  made.at(0).cpu.system = 100ms;
  made.at(0).cpu_wait = 50ms;
  CriticalPath path = critical_path(made.done(), 0);
  ASSERT_EQ(path.segments.size(), 1U);
  EXPECT_EQ(path.segments[0].cpu, 400ms);
  EXPECT_EQ(path.segments[0].cpu_wait, 50ms);
  EXPECT_EQ(path.segments[0].blocked(), 550ms);
  EXPECT_FALSE(path.segments[0].estimated);
}

// A process also waits for a CPU after its end is recorded.
TEST(CriticalPath, BusyProcessIsSplitByShares) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.at(0).cpu.user = 40ms;
  made.at(0).cpu_wait = 120ms;
  CriticalPath path = critical_path(made.done(), 0);
  EXPECT_EQ(path.segments[0].cpu, 25ms);
  EXPECT_EQ(path.segments[0].cpu_wait, 75ms);
  EXPECT_TRUE(path.segments[0].estimated);
}

// The account of a running parent is up to a tick old.
TEST(CriticalPath, StaleAccountCountsIfTheParentDidNotSleep) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  made.at(0).voluntary_switches = 2;
  Index first = made.add(0, 10ms, 500ms);
  made.at(first).at_birth.cpu = 4ms;
  made.at(first).at_birth.cpu_wait = 2ms;
  made.at(first).at_end.cpu = 8ms;
  made.at(first).at_end.cpu_wait = 2ms;
  made.at(first).at_end.voluntary_switches = 1;
  Index second = made.add(0, 520ms, 990ms);
  made.at(second).at_birth.cpu = 12ms;  // stale
  made.at(second).at_birth.cpu_wait = 5ms;
  made.at(second).at_birth.voluntary_switches = 2;
  made.at(second).at_end.cpu = 20ms;
  made.at(second).at_end.voluntary_switches = 2;
  CriticalPath path = critical_path(made.done(), 0);
  expect_tiles(path);
  ASSERT_EQ(path.segments.size(), 5U);
  EXPECT_EQ(path.segments[0].cpu, 8ms);  // 10 ms without 2 ms of waiting
  EXPECT_FALSE(path.segments[0].estimated);
  EXPECT_EQ(path.segments[2].cpu, 4ms);
  EXPECT_EQ(path.segments[2].cpu_wait, 3ms);
  EXPECT_EQ(path.segments[2].blocked(), 13ms);
  EXPECT_TRUE(path.segments[2].estimated);
}

TEST(CriticalPath, SeveralThreadsHaveNoMoreThanTheTime) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  made.at(0).cpu.user = 4s;
  made.at(0).cpu_wait = 2s;
  CriticalPath path = critical_path(made.done(), 0);
  expect_tiles(path);
  EXPECT_TRUE(path.segments[0].estimated);
}

// The account at its end is the sum of all threads.
TEST(CriticalPath, SplitOfAProcessWithSeveralThreadsIsEstimated) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  made.at(0).had_threads = true;
  made.at(0).cpu.user = 600ms;
  made.at(0).cpu_wait = 200ms;
  Index child = made.add(0, 10ms, 900ms);
  made.at(child).had_threads = true;
  made.at(child).cpu.user = 4s;
  made.at(child).cpu_wait = 1s;
  made.at(child).at_end.cpu = 5ms;
  CriticalPath path = critical_path(made.done(), 0);
  expect_tiles(path);
  EXPECT_EQ(text_of(path), "0:0-10 1:10-900 0:900-1000");
  for (const Segment& segment : path.segments) {
    EXPECT_TRUE(segment.estimated);
  }
  EXPECT_EQ(path.segments[1].cpu / 1ms, 712) << "4 of 5 parts";
  EXPECT_EQ(path.segments[1].cpu_wait / 1ms, 178);
  EXPECT_EQ(path.segments[2].cpu / 1ms, 60) << "a tenth of the lifetime, not all that is left";
  EXPECT_EQ(path.segments[2].cpu_wait / 1ms, 20);
}

TEST(CriticalPath, UnknownWaitingIsEstimated) {
  MadeRun made;
  made.add(no_index, 0ms, 100ms);
  made.at(0).cpu_wait = std::nullopt;
  EXPECT_TRUE(critical_path(made.done(), 0).segments[0].estimated);
}

// Each program belongs to the segments between its exec and the next one.
TEST(CriticalPath, ProgramsOfSegmentsBetweenChildren) {
  MadeRun made;
  made.add(no_index, 0ms, 1000ms);
  made.execute(0, 5ms, "first");
  made.execute(0, 320ms, "failed", 2);
  made.execute(0, 310ms, "second");
  made.execute(0, 605ms, "third");
  made.add(0, 100ms, 300ms);
  made.add(0, 400ms, 600ms);
  CriticalPath path = critical_path(made.done(), 0);
  expect_tiles(path);
  std::string programs;
  for (const Segment& segment : path.segments) {
    programs += segment.program == nullptr ? "-" : made.run.text(segment.program->args).data();
    programs += ' ';
  }
  EXPECT_EQ(text_of(path), "0:0-100 1:100-300 0:300-400 2:400-600 0:600-1000");
  EXPECT_EQ(programs, "first - second - third ");
}

TEST(CriticalPath, LongChainOfDescent) {
  MadeRun made;
  constexpr int depth = 100000;
  made.add(no_index, 0ns, 4ms * depth);
  for (int i = 1; i < depth; ++i) {
    made.add(static_cast<Index>(i - 1), 1ms * i, 4ms * depth - 1ms * i);
  }
  CriticalPath path = critical_path(made.done(), 0);
  expect_tiles(path);
  EXPECT_EQ(path.segments.size(), 2U * depth - 1);
}

}  // namespace
}  // namespace bpftrap
