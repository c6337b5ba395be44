// SPDX-License-Identifier: GPL-2.0-only
// PROGRAM during the trace and after it: starts it, waits for its end, forwards signals, and reaps
// orphans meanwhile.
#pragma once

#include "core/os/event_loop.h"
#include "core/os/signals.h"
#include "core/os/timer.h"
#include "core/process/last_descendant.h"
#include "core/process/program.h"
#include "core/process/reaper.h"

namespace bpftrap {

class ProgramRun {
 public:
  // Stops the loop when PROGRAM, and `last` if given, has ended. All arguments must outlive this.
  ProgramRun(Program& program, EventLoop& loop, LastDescendant* last = nullptr);
  ProgramRun(const ProgramRun&) = delete;
  ProgramRun& operator=(const ProgramRun&) = delete;

  Program& program() { return program_; }

  // True if the end of PROGRAM, and of `last` if given, has stopped the loop.
  bool saw_end() const { return saw_end_; }

  // Tracing is live: lets PROGRAM execute.
  void start() { program_.release(); }

  // True if the signal ends the trace. Otherwise PROGRAM received it, and the trace ends with
  // PROGRAM.
  bool ends_trace(StopSignals::Taken signal);

  // Call it after the trace: waits until PROGRAM has ended, and forwards signals as before. Returns
  // at once if PROGRAM was not started, or if the user stopped the wait.
  void wait(StopSignals& signals);

 private:
  void program_ended();
  void stop_at_end();

  Program& program_;
  EventLoop& loop_;
  LastDescendant* last_;
  bool saw_end_ = false;
  bool forwarded_ = false;
  bool abandoned_ = false;
  Timer ask_last_;
  Reaper reaper_;
};

}  // namespace bpftrap
