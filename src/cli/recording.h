// SPDX-License-Identifier: GPL-2.0-only
// Turns the options of `record` into a recorder and its file.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bpf/scope.h"
#include "cli/trace_options.h"
#include "core/output/output.h"
#include "core/output/output_file.h"
#include "core/process/process_list.h"
#include "core/trace/recorder.h"

namespace bpftrap {

// The name that `record` writes and `show` reads by default.
inline constexpr const char* default_recording = "trace.bpftrap";

// Creates the file of a recording. Renames an earlier recording. Throws Error.
std::unique_ptr<Output> create_recording(const std::string& path,
                                         const std::optional<FileOwner>& owner);

// True if the file begins like a recording.
bool is_recording(int fd);

// This machine, without what the trace tells: its name, boot and kernel.
HostRecord this_host();

// Tells one run of the recorder from others.
std::uint64_t new_run_number(const WallClock& clock);

// `processes`: those that exist.
RecorderOptions recorder_options(const TraceOptions& options, const bpftrap_scope& scope,
                                 const ProcessList& processes);

// Returns the delay after the first record of a batch. A recording has no reader that waits,
// and fewer wake-ups cost less, but more CPUs fill the ring buffer sooner.
std::chrono::nanoseconds recording_nap(std::uint32_t cpus);

// Returns the line that a finished recording is reported with.
std::string describe_recording(const std::string& path, const Recorder& recorder);

}  // namespace bpftrap
