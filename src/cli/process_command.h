// SPDX-License-Identifier: GPL-2.0-only
// What `exec` and `exit` share beyond their BPF programs: from options to a running tracer.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/host.h"
#include "cli/trace_options.h"
#include "core/process_stream.h"

namespace bpftrap {

struct ProcessCommand {
  std::string name;
  std::vector<std::string_view> columns;
  CommandScope scope;
  ProcessStreamOptions stream;
};

// Gives a map of keys room for these, at least for one: a map of none cannot be created.
void size_key_map(bpf_map* map, const std::vector<std::uint32_t>& keys);

// Puts the keys into the loaded map. Throws Error.
void fill_key_map(const bpf_map* map, const std::vector<std::uint32_t>& keys);

// Whether programs may call bpf_loop(): src/bpf/process_exit.bpf.h.
bool kernel_has_bpf_loop();

// Open, configure, load, attach, trace; the exit status. `Skeleton` is that of a process tracer
// (src/bpf/process.bpf.h); `choose` may say which of its programs to load.
template <class Skeleton, class Choose>
int trace_processes(ProcessCommand command, const TraceOptions& options, Choose&& choose) {
  Host host(options.output);
  OpenSkeleton<Skeleton> open(command.name);
  open.rodata().cfg = make_scope(options, command.scope);
  auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  bpf_map__set_max_entries(open.maps().records, ring_buffer_bytes(options.buffer_size, page));
  size_key_map(open.maps().pids, options.pids);
  size_key_map(open.maps().uids, options.uids);
  bool loops = kernel_has_bpf_loop();
  bpf_program__set_autoload(open.progs().on_exit, loops);
  bpf_program__set_autoload(open.progs().on_exit_before_5_17, !loops);
  choose(open.progs());
  LoadedSkeleton<Skeleton> loaded = std::move(open).load();
  fill_key_map(loaded.maps().pids, options.pids);
  fill_key_map(loaded.maps().uids, options.uids);
  loaded.attach();
  ProcessStream stream(command.stream);
  return host.trace<ExecRecord, ExitRecord>(command.name, std::move(command.columns), loaded,
                                            stream);
}

}  // namespace bpftrap
