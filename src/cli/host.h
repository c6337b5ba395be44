// SPDX-License-Identifier: GPL-2.0-only
// The environment of a command's BPF programs: libbpf's log, signals, the output and the event
// loop. A command opens a Host, opens and loads its skeleton, then calls trace().
#pragma once

#include <bpf/libbpf.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/common_options.h"
#include "core/bpf/libbpf_log.h"
#include "core/bpf/lost_counter.h"
#include "core/bpf/ring_buffer.h"
#include "core/bpf/skeleton.h"
#include "core/os/event_loop.h"
#include "core/os/signals.h"
#include "core/process/older_processes.h"
#include "core/process/program_run.h"
#include "core/process/sweep.h"
#include "core/trace/record_handler.h"
#include "core/trace/sandbox.h"
#include "core/trace/tracer.h"

namespace bpftrap {

// Optional parts of a trace.
struct TraceExtras {
  TraceObserver* observer = nullptr;
  std::vector<Sweepable*> sweeps = {};
  // Takes the command lines of processes older than the trace. Empty: they are not read.
  std::function<void(OlderProcess&&)> take_older = {};
  ProgramRun* program = nullptr;
  std::vector<CountedProgram> programs = {};
  std::chrono::nanoseconds nap = TracerOptions().nap;
};

class Host {
 public:
  // Blocks signals until the event loop reads them, and opens the output. A new file belongs to
  // `owner`, if given. Returns null if a signal came before the output had a reader; a message
  // reported that. Throws Error.
  static std::unique_ptr<Host> open(const OutputOptions& options,
                                    const std::optional<FileOwner>& owner = {});

  // The same without an output, which set_output() must provide before trace().
  static std::unique_ptr<Host> without_output(const OutputOptions& options);
  void set_output(std::unique_ptr<Output> output) { output_ = std::move(output); }

  EventLoop& loop() { return loop_; }
  StopSignals& signals() { return signals_; }
  Output& output() { return *output_; }
  const Output& output() const { return *output_; }

  // Writes to the output after a trace. Throws Error.
  void print(std::string_view text);

  // Returns the columns that the table must fit into. 0: it may be of any width.
  std::size_t terminal_columns() const;

  // Gives up unneeded privileges of the calling thread, unless --no-sandbox is given. With
  // --verbose, reports steps that the kernel refused.
  void confine(const SandboxNeeds& needs) const;

  // Traces with attached programs until a stop, and returns the exit status. `Records` are the
  // kinds that `handler` writes; `columns` are the headers of the table. The skeleton must have the
  // maps `records` (ring buffer) and `lost` (src/bpf/record.h). Throws Error.
  template <class... Records, class Skeleton>
  int trace(const std::string& command, std::vector<std::string_view> columns,
            LoadedSkeleton<Skeleton>& loaded, RecordHandler& handler, TraceExtras extras = {});

  // The same with another sink, which writes into the output.
  using MakeTraceSink = std::function<std::unique_ptr<Sink>(RingBuffer&, const WallClock&)>;
  template <class Skeleton>
  int trace(const std::string& command, const MakeTraceSink& make_sink,
            LoadedSkeleton<Skeleton>& loaded, RecordHandler& handler, TraceExtras extras);

 private:
  explicit Host(const OutputOptions& options) : options_(options), log_(options.verbose) {}

  // Returns SinkSetup::roomy.
  bool is_roomy() const;
  // Returns SinkSetup::row_width.
  std::function<std::size_t()> row_width() const;
  int trace(const std::string& command, Tracer::Source source, Tracer::Destination destination,
            RecordHandler& handler, TraceExtras extras);

  const OutputOptions& options_;
  LibbpfLog log_;
  StopSignals signals_;
  std::unique_ptr<Output> output_;
  EventLoop loop_;
};

template <class... Records, class Skeleton>
int Host::trace(const std::string& command, std::vector<std::string_view> columns,
                LoadedSkeleton<Skeleton>& loaded, RecordHandler& handler, TraceExtras extras) {
  auto make_sink = [&](RingBuffer&, const WallClock& clock) {
    return make_trace_sink(options_, {output_->buffer(),
                                      clock,
                                      {fields<Records>()...},
                                      chosen_columns(options_.table, std::move(columns)),
                                      !options_.no_header && !options_.quiet,
                                      wants_color(options_, *output_),
                                      row_width(),
                                      is_roomy(),
                                      options_.table.utc});
  };
  return trace(command, make_sink, loaded, handler, std::move(extras));
}

template <class Skeleton>
int Host::trace(const std::string& command, const MakeTraceSink& make_sink,
                LoadedSkeleton<Skeleton>& loaded, RecordHandler& handler, TraceExtras extras) {
  bpf_map* records = loaded.maps().records;
  RingBuffer ring(bpf_map__fd(records), bpf_map__max_entries(records));
  LostCounter lost(LossSources::of_kernel(bpf_map__fd(loaded.maps().lost)),
                   RecursionMisses(std::move(extras.programs)));
  WallClock clock;
  std::unique_ptr<Sink> sink = make_sink(ring, clock);
  return trace(command, {ring, lost, [&loaded] { loaded.detach(); }}, {*sink, *output_, clock},
               handler, std::move(extras));
}

}  // namespace bpftrap
