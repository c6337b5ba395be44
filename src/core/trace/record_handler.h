// SPDX-License-Identifier: GPL-2.0-only
// What a command does with records. Every command has a RecordHandler; a TraceObserver is for those
// that need to know more of the trace than its records.
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

  // Handles the bytes of one record: writes at most one record to the sink.
  virtual Result handle(std::span<const std::byte> bytes, Sink& sink) = 0;

  // How many of the lost records would have been written.
  virtual std::uint64_t lost_records(const bpftrap_lost& lost) const = 0;
};

class TraceObserver {
 public:
  virtual ~TraceObserver() = default;

  // Tracing is live as of this moment: what happened before it is not to be written.
  virtual void live(BootTime since) = 0;

  // All losses so far, once a second and at the end.
  virtual void account(const bpftrap_lost& lost) = 0;
};

}  // namespace bpftrap
