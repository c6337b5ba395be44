// SPDX-License-Identifier: GPL-2.0-only
// The way that every command's records take: ring buffer → handler → sink → output, until something
// says stop; then detach, drain, account.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "core/bpf/lost_counter.h"
#include "core/bpf/ring_buffer.h"
#include "core/os/event_loop.h"
#include "core/os/signals.h"
#include "core/os/timer.h"
#include "core/output/output.h"
#include "core/output/sink.h"

namespace bpftrap {

// What a command does with the bytes of a record.
class RecordHandler {
 public:
  virtual ~RecordHandler() = default;

  enum class Result { written, kept, malformed };

  // Tracing is live as of this moment: what happened before it is not to be written.
  virtual void live(BootTime /*since*/) {}

  // Writes to the sink at most one record.
  virtual Result handle(std::span<const std::byte> bytes, Sink& sink) = 0;

  // How many of the lost ones would have been written.
  virtual std::uint64_t lost_records(const bpftrap_lost& lost) const = 0;

  // What was lost besides, each time that it is read.
  virtual void look_at(const bpftrap_lost& /*lost*/) {}

  // The last record is written; what is left to say comes before the line `stop`.
  virtual void finish(Sink& /*sink*/) {}

  // Whether idle() has something to do. It may open files for reading; nothing else may, once
  // tracing is live.
  virtual bool has_idle_work() const { return false; }

  // Called when there is nothing else to do, after the start; false when nothing is left for it.
  virtual bool idle() { return false; }

  // Whether it keeps so much of processes that it is time for a sweep; there is one after losses,
  // too.
  virtual bool wants_sweep() const { return false; }

  // A sweep: to look which of the processes that something is kept of are dead …
  virtual void mark_dead() {}
  // … and to forget those: each record that was submitted before has been handled.
  virtual void forget_dead() {}
};

struct TracerOptions {
  std::string command;
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
};

class Tracer {
 public:
  // The reader sleeps this long after the first record of a batch: to be woken for each one costs
  // more than the record itself.
  static constexpr std::chrono::milliseconds nap{10};

  // All references must outlive run(). `detach` ends the flow of records.
  struct Parts {
    EventLoop& loop;
    StopSignals& signals;
    RingBuffer& ring;
    LostCounter& lost;
    RecordHandler& handler;
    Sink& sink;
    Output& output;
    WallClock& clock;
    std::function<void()> detach;
    std::function<void()> started = {};  // the line `start` is out
    // Asked for each signal; false: it is not to end the run. Without it each one does.
    std::function<bool(StopSignals::Taken)> ends_run = {};
    // Called before `start`, and again when idle work is through if there is any (`reads_files`):
    // gives up what is not needed any more.
    std::function<void(bool reads_files)> confine = {};
  };

  Tracer(Parts parts, TracerOptions options);

  // Writes `start`, records until a stop, then `stop`. Returns the exit status; throws Error where
  // the output fails.
  int run();

  // Ends run() as if asked by a signal.
  void stop() { parts_.loop.stop(); }

 private:
  void watch();
  void on_output(std::uint32_t events);
  void consume();
  bool done() const { return options_.count && records_ >= *options_.count; }
  void flush();
  void account();
  void sweep();
  void confine(bool reads_files);
  int finish();

  Parts parts_;
  TracerOptions options_;
  Timer nap_;
  Timer second_;
  Timer timeout_;
  ClockStepWatch clock_steps_;
  bool output_watched_ = false;
  std::uint32_t output_events_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t lost_told_ = 0;
  BootTime swept_{};  // when losses last asked for it
  bool sweep_asked_ = false;
  std::optional<unsigned long> sweep_until_;  // where the dead of a sweep have left the ring buffer
};

// What the `start` record says of this machine.
StartRecord describe_machine(BootTime time, std::string command);

}  // namespace bpftrap
