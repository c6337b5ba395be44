// SPDX-License-Identifier: GPL-2.0-only
// Reads the headers of a recording: its span, where a window of time begins and ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/recording/batch_stream.h"
#include "core/recording/recorded.h"

namespace bpftrap {

// A window of the wall clock.
struct Window {
  std::optional<std::int64_t> since_ns = {};
  std::optional<std::int64_t> until_ns = {};
};

struct Outline {
  std::uint64_t size = 0;    // bytes
  BatchPosition begin = {};  // of the segment where the window begins
  // The last batch with a time before the end of the window. None if the window has no end.
  std::optional<BatchPosition> end = {};
  std::vector<BatchPosition> segments = {};  // where they begin; of many, some of them
  std::optional<std::int64_t> first_wall_ns = {};
  std::optional<std::int64_t> last_wall_ns = {};  // none also if it was not asked for
  HostRecord host = {};                           // of the first run
  bool has_program = false;                       // likewise
};

// Reads the headers of all batches of a file. In a directory it reads all headers of a file only
// where it must, else the first one. Throws Error if there is no batch. `with_end`: finds the last
// time and segments of a directory, too, which takes all headers of its newest file.
Outline read_outline(const BatchStream& recording, const Window& window, bool with_end = true);

// The last segment at or before the position, in the same file.
BatchPosition segment_of(const BatchStream& recording, BatchPosition position);

}  // namespace bpftrap
