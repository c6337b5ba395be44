// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show_cursor.h"

namespace bpftrap {

ShowCursor::ShowCursor(const std::string& path) {
  if (!path.empty()) {
    file_.emplace(path);
  }
}

BatchPosition ShowCursor::resume(const BatchStream& recording, Replay& replay) {
  const Cursor& cursor = *file_->stored();
  if (!is_valid(cursor, recording)) {
    replay.begin_behind_dropped(cursor.events);
    return {};
  }
  resumed_ = cursor;
  return segment_of(recording, cursor.batch);
}

std::uint64_t ShowCursor::first_wanted(const BatchPlace& place) const {
  if (!resumed_ || position_of(place) > resumed_->batch) {
    return 0;
  }
  return position_of(place) == resumed_->batch ? resumed_->records : UINT64_MAX;
}

void ShowCursor::advance(const BatchPlace& place, std::uint64_t records, const Replay& replay) {
  bool is_before = resumed_ && position_of(place) < resumed_->batch;
  if (file_ && !is_before) {
    now_ = Cursor{place.header.run, place.header.sequence, position_of(place), records,
                  replay.events()};
  }
}

void ShowCursor::store() {
  if (file_ && now_) {
    file_->store(*now_);
    due_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  }
}

}  // namespace bpftrap
