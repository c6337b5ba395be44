// SPDX-License-Identifier: GPL-2.0-only
// The recording that `show` reads: which one, and what its headers tell.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/os/unique_fd.h"
#include "core/recording/reader.h"
#include "core/recording/recorded.h"
#include "core/text/units.h"

namespace bpftrap {

struct Source {
  UniqueFd file;
  std::string path;
  bool is_default = false;
  std::optional<PidOrId> process = {};  // given by its id
};

// `text`: FILE, or the id of a process of the default recording; empty: the default. Throws Error.
Source open_source(const std::string& text);

struct Outline {
  std::uint64_t size = 0;                    // of the file
  std::uint64_t begin = 0;                   // of the segment where the window begins
  std::vector<std::uint64_t> segments = {};  // where they begin; of a large file, some of them
  std::optional<std::int64_t> first_wall_ns = {};
  std::optional<std::int64_t> last_wall_ns = {};
  HostRecord host = {};      // of the first run
  bool has_program = false;  // likewise
};

// Reads the headers of all batches. `since_ns`: the beginning of the window. Throws Error if there
// is no batch.
Outline read_outline(RecordingReader& reader, std::optional<std::int64_t> since_ns);

// True if a table needs dates: the records are of several days, or not of today.
bool needs_dates(const Outline& outline, bool utc);

// Returns `2026-11-17 14:00:00.123 to 2026-11-17 14:05:00.456`.
std::string describe_span(const Outline& outline);

// Shows on the terminal of standard error how much is read, if that takes long.
class Progress {
 public:
  // `prints`: the output is a terminal, too, which shows progress by itself.
  void show(std::uint64_t done, std::uint64_t size, bool prints);
  void clear();

 private:
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool shown_ = false;
};

}  // namespace bpftrap
