// SPDX-License-Identifier: GPL-2.0-only
// The event loop of every command: ring buffer → handler → sink → output until a stop, then detach,
// drain and account for losses.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/bpf/lost_counter.h"
#include "core/bpf/ring_buffer.h"
#include "core/os/event_loop.h"
#include "core/os/signals.h"
#include "core/os/timer.h"
#include "core/output/output.h"
#include "core/output/sink.h"
#include "core/process/program_run.h"
#include "core/trace/record_handler.h"

namespace bpftrap {

struct TracerOptions {
  std::string command;
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
  // Delay after the first record of a batch, because waking the reader for each record costs more
  // than the record itself.
  std::chrono::nanoseconds nap = std::chrono::milliseconds(10);
};

class Tracer {
 public:
  // Source of the records.
  struct Source {
    RingBuffer& ring;
    LostCounter& lost;
    std::function<void()> detach;  // detaches the BPF programs
  };

  // Destination of the records.
  struct Destination {
    Sink& sink;
    Output& output;
    WallClock& clock;
  };

  // All references must outlive run().
  struct Parts {
    EventLoop& loop;
    StopSignals& signals;
    Source source;
    RecordHandler& handler;
    Destination destination;
    TraceObserver* observer = nullptr;
    ProgramRun* program = nullptr;       // decides which signals end the trace
    std::function<void()> confine = {};  // gives up privileges, before the record `start`
  };

  Tracer(Parts parts, TracerOptions options);

  // Writes `start`, then records until a stop, then `stop`. Throws Error if the output fails.
  void run();

  // Ends run() as a signal would.
  void stop() { parts_.loop.stop(); }

 private:
  void watch();
  void watch_stops();
  void on_output(std::uint32_t events);
  void on_second();
  // Flushes, and goes on reading if the output has been full.
  void resume();
  void start();
  void consume();
  bool done() const { return options_.count && records_ >= *options_.count; }
  void flush();
  void account();
  void drain_ring();
  void finish();
  // Reports how much the stalled reader did not get.
  [[noreturn]] void give_up();

  Parts parts_;
  Output& output_;
  TracerOptions options_;
  Timer nap_;
  Timer timeout_;
  ClockStepWatch clock_steps_;
  bool output_watched_ = false;
  std::uint32_t output_events_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t lost_told_ = 0;
  bool signalled_ = false;
  Patience patience_;
};

}  // namespace bpftrap
