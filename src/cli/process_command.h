// SPDX-License-Identifier: GPL-2.0-only
// What `exec` and `exit` share beyond their BPF programs: from options to a running tracer.
#pragma once

#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/trace_options.h"
#include "core/libbpf_log.h"
#include "core/process_stream.h"
#include "core/skeleton.h"

namespace bpftrap {

struct ProcessCommand {
  std::string name;
  std::vector<std::string_view> columns;
  bool only_executed = false;
  ProcessStreamOptions stream;
};

// Traces with programs that are attached, until a stop; the exit status.
int run_process_tracer(const ProcessCommand& command, const TraceOptions& options, int records_fd,
                       std::size_t records_size, int lost_fd, StopSignals& signals, Output& output,
                       std::function<void()> detach);

// Open, configure, load, attach, trace. `Skeleton` is that of a process tracer:
// src/bpf/process.bpf.h.
template <class Skeleton>
int trace_processes(ProcessCommand command, const TraceOptions& options);

// Puts the keys of --pid into the loaded map. Throws Error.
void fill_pids(int map_fd, const std::vector<std::uint32_t>& pids);

template <class Skeleton>
int trace_processes(ProcessCommand command, const TraceOptions& options) {
  LibbpfLog log(options.output.verbose);
  StopSignals signals;
  std::unique_ptr<Output> output = open_output(options.output);
  OpenSkeleton<Skeleton> open(command.name);
  open.rodata().cfg = make_scope(options, command.only_executed);
  std::uint32_t size =
      ring_buffer_bytes(options.buffer_size, static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  bpf_map__set_max_entries(open.maps().records, size);
  if (!options.pids.empty()) {
    bpf_map__set_max_entries(open.maps().pids, static_cast<std::uint32_t>(options.pids.size()));
  }
  LoadedSkeleton<Skeleton> loaded = std::move(open).load();
  fill_pids(bpf_map__fd(loaded.maps().pids), options.pids);
  command.stream.attached = BootClock::now();
  loaded.attach();
  return run_process_tracer(command, options, bpf_map__fd(loaded.maps().records), size,
                            bpf_map__fd(loaded.maps().lost), signals, *output,
                            [&loaded] { loaded.detach(); });
}

}  // namespace bpftrap
