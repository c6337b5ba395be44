// SPDX-License-Identifier: GPL-2.0-only
// Turns the options of `record` into a recorder and its file.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bpf/scope.h"
#include "cli/directory_options.h"
#include "cli/trace_options.h"
#include "core/os/file_sync.h"
#include "core/output/output.h"
#include "core/output/output_file.h"
#include "core/process/process_list.h"
#include "core/trace/recorder.h"

namespace bpftrap {

// The name that `record` writes and `show` reads by default.
inline constexpr const char* default_recording = "trace.bpftrap";

// True if the file begins like a recording.
bool is_recording(int fd);
// True if there is such a file, and it is no empty one.
bool is_recording_file(const std::string& path);

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

// Where a recording goes: a file, or a directory.
class RecordingTarget {
 public:
  // `directory`: null for the file. Throws Error.
  RecordingTarget(const std::string& path, const DirectoryOptions* directory,
                  const std::optional<FileOwner>& owner);

  std::unique_ptr<Output> take_output() { return std::move(output_); }
  const std::string& path() const { return path_; }
  bool is_directory() const { return directory_ != nullptr; }
  std::chrono::nanoseconds sync_interval() const { return sync_interval_; }
  // Returns the calls of the thread that writes to the disk. `output_fd`: of the output.
  FileSync::Calls sync_calls(int output_fd, bool no_sandbox) const;
  // Adds what follows from a directory.
  void complete(RecorderOptions& options) const;
  void complete(RecordingWriter::Setup& setup) const;

 private:
  std::string path_;
  std::chrono::nanoseconds sync_interval_;
  std::unique_ptr<RecordingDirectory> directory_;  // null: a file
  std::unique_ptr<Output> output_;
};

// Returns the line that a finished recording is reported with.
std::string describe_recording(const RecordingTarget& target, const Recorder& recorder);

}  // namespace bpftrap
