// SPDX-License-Identifier: GPL-2.0-only
#include "cli/process_command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>

#include "core/os/error.h"
#include "core/os/memory_limit.h"

namespace bpftrap {

void fill_pid_map(const bpf_map* map, const std::vector<NamedProcess>& processes) {
  for (const NamedProcess& named : processes) {
    bpftrap_known_process key{named.process.start_ticks, named.process.pid, 0};
    std::uint8_t one = 1;
    if (int err = bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY); err != 0) {
      throw Error("cannot set --pid", -err);
    }
  }
}

void size_cgroup_maps(bpf_map* nodes, bpf_map* numbers, const WatchedCgroups& cgroups) {
  bpf_map__set_autocreate(nodes, !cgroups.empty());
  bpf_map__set_autocreate(numbers, !cgroups.empty());
  bpf_map__set_max_entries(nodes, std::max(cgroups.names(), 1U));
  bpf_map__set_max_entries(numbers, cgroups.numbers());
}

ProcessStreamOptions live_stream_options(const TraceOptions& options, const Output& output) {
  ProcessStreamOptions stream = stream_options(options);
  stream.output_crowded = [&output] { return output.crowded(); };
  stream.keep_births = options.wait_all || !options.trees.empty();
  stream.command_line_bytes = memory_share(CommandLines::bytes_most);
  return stream;
}

}  // namespace bpftrap
