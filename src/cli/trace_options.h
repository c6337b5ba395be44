// SPDX-License-Identifier: GPL-2.0-only
// The options of `exec` and `exit`, and how they configure the BPF programs and the record stream.
// The configuration is a pure function of the options, tested without a kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bpf/record.h"
#include "bpf/scope.h"
#include "cli/common_options.h"
#include "cli/detail_options.h"
#include "cli/events.h"
#include "cli/export_options.h"
#include "cli/filter_options.h"
#include "core/trace/process_stream.h"

namespace bpftrap {

struct TraceOptions : FilterOptions {
  OutputOptions output;
  DetailOptions details;
  ArgumentFilter arguments;
  Redaction redaction;
  ExportOptions exports;  // of `record` and `show`
  bool wait_all = false;
  bool forest = false;
  std::vector<std::string> fail_on;  // globs
  bpftrap_globs fail_on_globs{};     // `fail_on`, compiled
  std::optional<std::chrono::nanoseconds> min_duration;
  bool failed = false;
  Events default_events;  // the command's default
  std::optional<EventList> event_list;
  std::string btf;  // file with the kernel's BTF; empty: the running kernel's
  std::uint64_t buffer_size = BPFTRAP_BUFFER_DEFAULT;
};

// Adds the options. `default_events` is what the command prints without --event.
void add_trace_options(CLI::App& app, TraceOptions& options, const Events& default_events);

// Adds the options of `record`.
void add_record_options(CLI::App& app, TraceOptions& options);
// Adds --match, --exclude-match, and the options that choose and reduce events, for `show`.
void add_selection_options(CLI::App& app, TraceOptions& options, const Events& default_events);
// Adds the table, --forest, --summary and -q.
void add_look_options(CLI::App& app, TraceOptions& options, const char* summary);

// Called when all options are read: derives what follows from several of them, and checks them.
// Throws CLI::ValidationError.
void complete(TraceOptions& options);

// Refuses contradictory options, filters included. Throws CLI::ValidationError.
void check_together(const TraceOptions& options);

// Returns a power of two from one page to 2 GiB, as BPF_MAP_TYPE_RINGBUF requires
// (kernel/bpf/ringbuf.c, ringbuf_map_alloc()). `asked` and `page` are in bytes.
std::uint32_t ring_buffer_bytes(std::uint64_t asked, std::uint64_t page);

// Returns the events to print.
Events chosen_events(const TraceOptions& options);

// True if --columns has ANCESTORS.
bool shows_ancestors(const TraceOptions& options);

bpftrap_scope make_scope(const TraceOptions& options);

// Returns the options of the stream that the command line determines.
ProcessStreamOptions stream_options(const TraceOptions& options);

}  // namespace bpftrap
