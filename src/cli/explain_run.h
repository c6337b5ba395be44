// SPDX-License-Identifier: GPL-2.0-only
// A trace whose records are kept in memory, and explained after its end.
#pragma once

#include <utility>

#include "cli/host.h"
#include "cli/process_command.h"
#include "core/trace/live_run.h"

namespace bpftrap {

// `run` traces with the programs of `loaded` and a handler, and returns the status of PROGRAM.
template <class Skeleton, class Run>
int explain_run(const ProcessCommand& command, Host& host, LoadedSkeleton<Skeleton>& loaded,
                HostRecord machine, Run run) {
  LiveRun records(std::move(machine), true);
  auto make_sink = [&](RingBuffer&, const WallClock& clock) { return records.begin(clock); };
  int status = run({records, [&](TraceExtras extras) {
                      host.trace(command.name, make_sink, loaded, records, std::move(extras));
                    }});
  host.print(command.explain(records.finish()));
  return status;
}

}  // namespace bpftrap
