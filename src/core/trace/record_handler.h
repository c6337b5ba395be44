// SPDX-License-Identifier: GPL-2.0-only
// A command's part in a trace. Each command has a RecordHandler; a TraceObserver also learns about
// the start and the losses of the trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bpf/record.h"
#include "core/os/clock.h"
#include "core/output/sink.h"

namespace bpftrap {

class RecordHandler {
 public:
  virtual ~RecordHandler() = default;

  enum class Result { written, kept, malformed };

  // Handles the bytes of one record. Writes at most one record to the sink.
  virtual Result handle(std::span<const std::byte> bytes, Sink& sink) = 0;

  // Returns the number of lost records that the handler would have written.
  virtual std::uint64_t lost_records(const bpftrap_lost& lost) const = 0;
};

class TraceObserver {
 public:
  virtual ~TraceObserver() = default;

  // Tracing is live from this time on. Do not write earlier events.
  virtual void live(BootTime since) = 0;

  // Called with the total losses once a second and at the end.
  virtual void account(const bpftrap_lost& lost) = 0;
};

}  // namespace bpftrap
