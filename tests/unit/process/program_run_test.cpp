// SPDX-License-Identifier: GPL-2.0-only
// PROGRAM in the event loop: its end stops the loop, and bpftrap forwards signals to it.
#include "core/process/program_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace bpftrap {
namespace {

using namespace std::chrono_literals;

constexpr StopSignals::Taken by_process(int number) {
  return {number, false};
}

TEST(ProgramRun, ItsEndStopsTheLoop) {
  EventLoop loop;
  Program program(ProgramOptions{.argv = {"/bin/sh", "-c", "exit 7"}});
  ProgramRun run(program, loop);
  run.start();
  loop.run();
  EXPECT_EQ(program.exit_status(), 7);
}

TEST(ProgramRun, TheEndOfTheLastDescendantStopsTheLoop) {
  EventLoop loop;
  Program program(ProgramOptions{.argv = {"/bin/sh", "-c", "exit 7"}});
  int asked = 0;
  LastDescendant last({[&] { return std::uint64_t{++asked < 3 ? 1U : 0U}; }, [] { return 0U; }},
                      LostCounter({1, [](bpftrap_lost*) { return true; }}));
  ProgramRun run(program, loop, &last);
  run.start();
  loop.run();
  EXPECT_EQ(asked, 3);
}

TEST(ProgramRun, ASignalGoesToProgramAndASecondOneEndsTheTrace) {
  EventLoop loop;
  Program program(ProgramOptions{
      .argv = {"/bin/sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.01; done"}});
  ProgramRun run(program, loop);
  run.start();
  // Without its trap set, PROGRAM would die of the signal.
  std::this_thread::sleep_for(200ms);
  EXPECT_FALSE(run.ends_trace(by_process(SIGTERM)));
  EXPECT_TRUE(run.ends_trace(by_process(SIGTERM)));
  loop.run();
  EXPECT_EQ(program.exit_status(), 9);
}

TEST(ProgramRun, WhatTheTerminalSentIsNotHandedOn) {
  EventLoop loop;
  Program program(ProgramOptions{.argv = {"/bin/sleep", "0.2"}});
  ProgramRun run(program, loop);
  run.start();
  EXPECT_FALSE(run.ends_trace({SIGINT, true}));
  loop.run();
  EXPECT_EQ(program.exit_status(), 0);
}

TEST(ProgramRun, AfterItsEndASignalEndsTheTrace) {
  EventLoop loop;
  Program program(ProgramOptions{.argv = {"/bin/true"}});
  ProgramRun run(program, loop);
  run.start();
  EXPECT_EQ(program.exit_status(), 0);
  EXPECT_TRUE(run.ends_trace({SIGINT, true}));
}

TEST(ProgramRun, WaitsForItsEndAfterTheTrace) {
  EventLoop loop;
  StopSignals signals;
  Program program(ProgramOptions{.argv = {"/bin/sh", "-c", "sleep 0.2; exit 7"}});
  ProgramRun run(program, loop);
  run.wait(signals);
  EXPECT_FALSE(program.ended()) << "not started: there is nothing to wait for";
  run.start();
  run.wait(signals);
  EXPECT_TRUE(program.ended());
  EXPECT_EQ(program.exit_status(), 7);
}

TEST(ProgramRun, HandsSignalsOnWhileItWaits) {
  EventLoop loop;
  StopSignals signals;
  Program program(ProgramOptions{.argv = {"/bin/sleep", "20"}});
  ProgramRun run(program, loop);
  run.start();
  // To this thread: signalfd reads it, because StopSignals has blocked it.
  ::kill(::getpid(), SIGTERM);
  run.wait(signals);
  EXPECT_EQ(program.exit_status(), 128 + SIGTERM);
}

}  // namespace
}  // namespace bpftrap
