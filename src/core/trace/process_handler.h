// SPDX-License-Identifier: GPL-2.0-only
// The part that a destination of process records has in a trace: the stream that prints them, or
// the recorder.
#pragma once

#include "core/process/command_lines.h"
#include "core/process/sweep.h"
#include "core/trace/record_handler.h"

namespace bpftrap {

class ProcessHandler : public RecordHandler, public TraceObserver, public Sweepable {
 public:
  // True if the command lines of older processes must be read from /proc (older_processes.h).
  virtual bool reads_older() const = 0;
  virtual void add_older(OlderProcess&& process) = 0;

  // Returns the number of known forked processes: neither a record nor a sweep reported their end.
  virtual std::size_t born() const = 0;
};

}  // namespace bpftrap
