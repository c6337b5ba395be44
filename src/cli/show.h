// SPDX-License-Identifier: GPL-2.0-only
// `show`: options, and a recording on its way to the output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/trace_options.h"
#include "core/record/record.h"
#include "core/text/units.h"

namespace bpftrap {

struct ShowOptions {
  TraceOptions trace;              // filters and output
  std::vector<std::string> users;  // names or numbers: the recording knows the names
  std::string source;              // FILE, DIR or ID; empty: the default
  bool of_system = false;          // the default is the recorder's directory
  std::string cursor_file;
  std::optional<std::int64_t> since_ns;  // wall clock
  std::optional<std::int64_t> until_ns;
  std::optional<std::uint64_t> last;
  std::optional<ProcessId> script;  // whose last command is wanted as a script
  bool follow = false;
};

void add_show_options(CLI::App& app, ShowOptions& options);

// Refuses contradictory options. Throws CLI::ValidationError.
void check_show_options(const ShowOptions& options);

// Returns the exit status. Throws Error.
int show_recording(const ShowOptions& options);

}  // namespace bpftrap
