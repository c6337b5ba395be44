// SPDX-License-Identifier: GPL-2.0-only
// The options of `exec` and `exit`, and what they mean for the BPF programs: options → scope is a
// pure function, tested without a kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bpf/scope.h"
#include "cli/common_options.h"

namespace bpftrap {

struct TraceOptions {
  OutputOptions output;
  std::vector<std::uint32_t> pids;
  std::optional<std::chrono::nanoseconds> min_duration;
  std::uint64_t buffer_size = std::uint64_t{4} << 20;
};

void add_trace_options(CLI::App& app, TraceOptions& options);

// A power of two, at least a page and at most 2 GiB, as BPF_MAP_TYPE_RINGBUF wants it
// (kernel/bpf/ringbuf.c ringbuf_map_alloc()).
std::uint32_t ring_buffer_bytes(std::uint64_t asked, std::uint64_t page);

// `only_executed`: no exits of processes that never executed a program.
bpftrap_scope make_scope(const TraceOptions& options, bool only_executed);

}  // namespace bpftrap
