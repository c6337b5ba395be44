// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show_cursor.h"

#include <fcntl.h>

#include "core/os/unique_fd.h"

namespace bpftrap {

ShowCursor::ShowCursor(const std::string& path) {
  if (!path.empty()) {
    file_.emplace(path);
  }
}

namespace {

// Events that follow the cursor in the former recording of a file, which `record` has renamed. None
// if there is no such recording.
std::optional<std::uint64_t> unread_before(const Cursor& cursor, const std::string& path) {
  UniqueFd file(::open((path + ".old").c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) {
    return std::nullopt;
  }
  BatchStream former = BatchStream::of(file.get());
  bool is_former = !former.is_directory() && is_valid(cursor, former);
  return is_former ? std::optional(events_behind(cursor, former)) : std::nullopt;
}

}  // namespace

BatchPosition ShowCursor::resume(const BatchStream& recording, const std::string& path,
                                 Replay& replay) {
  const Cursor& cursor = *file_->stored();
  resumed_ = last_read(cursor, recording);
  if (resumed_) {
    return segment_of(recording, resumed_->batch);
  }
  std::optional<std::uint64_t> unread;
  if (!recording.is_directory()) {
    unread = unread_before(cursor, path);
  }
  if (unread != 0) {
    replay.begin_behind_dropped(cursor.events, unread.value_or(0));
  }
  return {};
}

bool ShowCursor::is_dropped_before(const BatchPlace& place) const {
  // Up to the position, there is one segment of one run. Another run may have smaller numbers,
  // because somebody has removed all files.
  return resumed_ && !is_behind_ &&
         (place.header.run != resumed_->run || position_of(place) > resumed_->batch);
}

void ShowCursor::read_batch(BatchStream& recording, const BatchPlace& place, Replay& replay) {
  if (is_dropped_before(place)) {
    replay.begin_behind_dropped(resumed_->events);
    is_behind_ = true;
  }
  bool is_position = resumed_ && !is_behind_ && position_of(place) == resumed_->batch;
  replay.begin_batch(place.header);
  std::uint64_t damaged = recording.damaged();
  std::optional<std::span<const std::byte>> payload = recording.read(place);
  std::uint64_t wanted = first_wanted(place);
  std::uint64_t records = 0;
  if (payload) {
    for_each_record(*payload, [&](std::span<const std::byte> record) {
      replay.mute(records++ < wanted);
      replay.take(record);
      return !replay.is_done();
    });
  } else if (is_position && recording.damaged() == damaged) {
    replay.begin_behind_dropped(resumed_->events);  // this batch was dropped, too
  }
  advance(place, records, replay);
}

std::uint64_t ShowCursor::first_wanted(const BatchPlace& place) const {
  if (!resumed_ || is_behind_ || position_of(place) > resumed_->batch) {
    return 0;
  }
  return position_of(place) == resumed_->batch ? resumed_->records : UINT64_MAX;
}

void ShowCursor::advance(const BatchPlace& place, std::uint64_t records, const Replay& replay) {
  // Files may be numbered from the beginning again, after somebody has removed all.
  is_behind_ = is_behind_ || !resumed_ || position_of(place) >= resumed_->batch;
  if (file_ && is_behind_) {
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
