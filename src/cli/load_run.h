// SPDX-License-Identifier: GPL-2.0-only
// Loads a whole recording, for the commands that analyse it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/analysis/run.h"
#include "core/recording/batch_stream.h"

namespace bpftrap {

struct LoadedRun {
  RecordedRun run;
  std::string path;
  bool is_default = false;               // the user named none
  std::string span = {};                 // of its records, in local time
  std::vector<std::string> doubts = {};  // damage and gaps, one line each without a line feed
};

// Damage of the file of a recording.
struct FileDamage {
  std::uint64_t parts = 0;
  std::string first = {};        // the place of the first one
  std::uint64_t torn_bytes = 0;  // at the end
};

std::vector<std::string> doubts_about(const FileDamage& damage, const RunGaps& gaps);

// `file`: empty for the default recording. Throws Error.
LoadedRun load_run(const std::string& file);
// The same from an open recording, named `path` in messages.
LoadedRun load_run(BatchStream reader, const std::string& path);

}  // namespace bpftrap
