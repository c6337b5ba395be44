// SPDX-License-Identifier: GPL-2.0-only
// The options of `exec` and `exit`, and their meaning for the BPF programs and for the stream of
// records. Both are pure functions of the options, tested without a kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bpf/record.h"
#include "bpf/scope.h"
#include "cli/common_options.h"
#include "cli/events.h"
#include "core/trace/process_stream.h"

namespace bpftrap {

struct TraceOptions {
  OutputOptions output;
  std::vector<std::uint32_t> pids;
  std::vector<std::uint32_t> uids;
  std::vector<std::string> names;    // globs
  bpftrap_globs name_globs{};        // the same, translated
  std::vector<std::string> cgroups;  // paths
  std::vector<std::uint32_t> trees;  // pids
  std::vector<std::string> program;  // after `--`, with its arguments
  bool wait_all = false;
  bool forest = false;
  std::optional<std::chrono::nanoseconds> min_duration;
  bool failed = false;
  Events default_events;  // of the command
  std::optional<EventList> event_list;
  std::string btf;  // a file with the kernel's BTF; "": the kernel has it itself
  std::uint64_t buffer_size = BPFTRAP_BUFFER_DEFAULT;
};

// `default_events` are those that the command prints without --event.
void add_trace_options(CLI::App& app, TraceOptions& options, const Events& default_events);

// Refuses options that contradict each other. Throws CLI::ValidationError.
void check_together(const TraceOptions& options);

// A power of two, at least a page and at most 2 GiB, as BPF_MAP_TYPE_RINGBUF wants it
// (kernel/bpf/ringbuf.c ringbuf_map_alloc()).
std::uint32_t ring_buffer_bytes(std::uint64_t asked, std::uint64_t page);

// The events to print.
Events chosen_events(const TraceOptions& options);

bpftrap_scope make_scope(const TraceOptions& options);

// The part of the stream's options that the command line decides.
ProcessStreamOptions stream_options(const TraceOptions& options);

}  // namespace bpftrap
