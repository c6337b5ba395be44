// SPDX-License-Identifier: GPL-2.0-only
// The options of `exec` and `exit`, and what they mean for the BPF programs: options → scope is a
// pure function, tested without a kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bpf/record.h"
#include "bpf/scope.h"
#include "cli/common_options.h"

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
  bool tree_view = false;
  std::optional<std::chrono::nanoseconds> min_duration;
  bool failed = false;
  std::string btf;  // a file with the kernel's BTF; "": the kernel has it itself
  std::uint64_t buffer_size = BPFTRAP_BUFFER_DEFAULT;
};

// `failed` is what --help says of --failed.
void add_trace_options(CLI::App& app, TraceOptions& options, const std::string& failed);

// Refuses what makes no sense together. Throws CLI::ValidationError.
void check_together(const TraceOptions& options);

// A power of two, at least a page and at most 2 GiB, as BPF_MAP_TYPE_RINGBUF wants it
// (kernel/bpf/ringbuf.c ringbuf_map_alloc()).
std::uint32_t ring_buffer_bytes(std::uint64_t asked, std::uint64_t page);

// What of its own a command asks for.
struct CommandScope {
  bool only_executed = false;     // no exits of processes that never executed a program
  bool failed_is_status = false;  // --failed: no exits with status 0
  bool keep_wanted = false;       // exits of processes of which any exec was wanted
};

bpftrap_scope make_scope(const TraceOptions& options, CommandScope command);

}  // namespace bpftrap
