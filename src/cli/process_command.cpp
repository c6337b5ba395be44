// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>

#include "core/error.h"

namespace bpftrap {

void fill_pids(int map_fd, const std::vector<std::uint32_t>& pids) {
  for (std::uint32_t pid : pids) {
    std::uint8_t one = 1;
    if (int err = bpf_map_update_elem(map_fd, &pid, &one, BPF_ANY); err != 0) {
      throw Error("cannot set --pid", -err);
    }
  }
}

int run_process_tracer(const ProcessCommand& command, const TraceOptions& options, int records_fd,
                       std::size_t records_size, int lost_fd, StopSignals& signals, Output& output,
                       std::function<void()> detach) {
  EventLoop loop;
  RingBuffer ring(records_fd, records_size);
  LostCounter lost(lost_fd);
  WallClock clock;
  std::unique_ptr<Sink> sink = make_sink(options.output, output, clock, command.columns);
  ProcessStream stream(command.stream);
  Tracer tracer({loop, signals, ring, lost, stream, *sink, output, clock, std::move(detach)},
                {command.name, options.output.count, options.output.timeout});
  return tracer.run();
}

}  // namespace bpftrap
