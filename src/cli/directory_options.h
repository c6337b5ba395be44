// SPDX-License-Identifier: GPL-2.0-only
// `record --dir`: options of a directory of bounded size.
#pragma once

#include <chrono>
#include <string>

#include "cli/trace_options.h"
#include "core/recording/directory.h"

namespace bpftrap {

struct DirectoryOptions {
  std::string path;  // empty: record into a file
  RecordingDirectory::Limits limits = {};
  std::chrono::nanoseconds sync = std::chrono::seconds(5);
};

void add_directory_options(CLI::App& app, DirectoryOptions& options);

// Refuses contradictory options. Throws CLI::ValidationError.
void check_directory_options(const CLI::App& app, const DirectoryOptions& options,
                             const TraceOptions& trace);

}  // namespace bpftrap
