// SPDX-License-Identifier: GPL-2.0-only
// Keeps the records of a trace in memory, as a RecordedRun, for an analysis after its end.
#pragma once

#include <memory>

#include "core/analysis/run_builder.h"
#include "core/trace/process_handler.h"

namespace bpftrap {

class LiveRun final : public ProcessHandler {
 public:
  // `host`: without its name, boot and kernel, which the trace tells.
  LiveRun(HostRecord host, bool has_program);

  // Returns the sink of the trace, which refers to this object. `clock` must outlive it.
  std::unique_ptr<Sink> begin(const WallClock& clock);
  // After the end.
  RecordedRun finish() { return builder_.finish(); }

  Result handle(std::span<const std::byte> bytes, Sink& sink) override;
  std::uint64_t lost_records(const bpftrap_lost& lost) const override;
  void live(BootTime since) override { live_since_ = since; }
  void account(const bpftrap_lost& lost) override;

  // Ends that are lost change no memory: the run is kept as a whole.
  bool wants_sweep() const override { return false; }
  void mark_dead() override {}
  void forget_dead() override {}

  bool reads_older() const override { return false; }
  void add_older(OlderProcess&&) override {}
  std::size_t born() const override { return 0; }

 private:
  class Stream;

  void start(const StartRecord& start);
  void take(const std::string& record) { builder_.take(std::as_bytes(std::span(record))); }

  HostRecord host_;
  bool has_program_;
  const WallClock* clock_ = nullptr;
  BootTime live_since_;
  RunBuilder builder_;
  bpftrap_lost told_{};
};

}  // namespace bpftrap
