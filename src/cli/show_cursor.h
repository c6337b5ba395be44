// SPDX-License-Identifier: GPL-2.0-only
// `show --cursor-file`: where printing begins, and how far it came.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/recording/cursor.h"
#include "core/recording/outline.h"
#include "core/trace/replay.h"

namespace bpftrap {

class ShowCursor {
 public:
  // Does nothing without a path. Throws Error.
  explicit ShowCursor(const std::string& path);

  bool is_used() const { return file_.has_value(); }
  // True if there is a position, which replaces --since.
  bool has_position() const { return file_ && file_->stored(); }
  // True if printing goes on in the middle of the recording.
  bool is_resumed() const { return resumed_.has_value(); }

  // Returns where reading must begin, so that printing can begin behind the position. `path`: of
  // the recording.
  BatchPosition resume(const BatchStream& recording, const std::string& path, Replay& replay);
  // Replays the batch that `recording` has gone to last. Records up to the position are muted. The
  // recorder may have dropped the position after resume(), and the batch: the replay is told.
  void read_batch(BatchStream& recording, const BatchPlace& place, Replay& replay);
  // The records of the batch before this one are printed already.
  std::uint64_t first_wanted(const BatchPlace& place) const;

  // So many records of the batch are read.
  void advance(const BatchPlace& place, std::uint64_t records, const Replay& replay);
  // True each second.
  bool is_due() const { return file_ && std::chrono::steady_clock::now() >= due_; }
  // Stores the position. All records up to it must be written. Throws Error.
  void store();

 private:
  // True if the batch of the position can no longer be reached, because this one is behind it.
  bool is_dropped_before(const BatchPlace& place) const;

  std::optional<CursorFile> file_;
  std::optional<Cursor> resumed_;
  bool is_behind_ = false;  // the position was reached: every later batch is wanted
  std::optional<Cursor> now_;
  std::chrono::steady_clock::time_point due_ = {};
};

}  // namespace bpftrap
