// SPDX-License-Identifier: GPL-2.0-only
// PROGRAM while it is traced, and after: starts it, waits for its end, hands signals on.
#pragma once

#include "core/os/event_loop.h"
#include "core/os/signals.h"
#include "core/os/timer.h"
#include "core/process/last_descendant.h"
#include "core/process/program.h"

namespace bpftrap {

class ProgramRun {
 public:
  // Stops the loop when PROGRAM has ended, and `last` too unless it is null. All must outlive it.
  ProgramRun(Program& program, EventLoop& loop, LastDescendant* last = nullptr);
  ProgramRun(const ProgramRun&) = delete;
  ProgramRun& operator=(const ProgramRun&) = delete;

  Program& program() { return program_; }

  // Tracing is live: lets PROGRAM execute.
  void start() { program_.release(); }

  // Whether the signal ends the trace. If it does not, PROGRAM has it, and the trace ends with it.
  bool ends_trace(StopSignals::Taken signal);

  // The trace is over, and what it watched in the loop is gone: waits until PROGRAM has ended, and
  // hands signals on as before. Returns at once if PROGRAM was not started, or if the user does not
  // want to wait for it.
  void wait(StopSignals& signals);

 private:
  void program_ended();

  Program& program_;
  EventLoop& loop_;
  LastDescendant* last_;
  bool forwarded_ = false;
  bool abandoned_ = false;
  Timer ask_last_;
};

}  // namespace bpftrap
