// SPDX-License-Identifier: GPL-2.0-only
#include "cli/segments.h"

#include <algorithm>

#include "core/os/error.h"
#include "core/recording/recorded.h"

namespace bpftrap {

Segments::Segments(const Source& source)
    : headers_(BatchStream::of(source.file.get())), reader_(headers_.again()) {
  refresh();
  if (segments_.empty()) {
    throw Error("the recording has no complete records", 0);
  }
}

void Segments::refresh() {
  while (std::optional<BatchPlace> place = headers_.next()) {
    const RecordingBatch& header = place->header;
    bool is_other_run = !last_ || last_->run != header.run;
    if (!is_other_run && header.sequence > last_->sequence + 1) {
      missing_ += header.sequence - last_->sequence - 1;
    }
    last_ = header;
    // The first batch of a recording or of a run may be damaged.
    if ((header.flags & batch_begins_segment) != 0 || is_other_run) {
      segments_.push_back({.begin = position_of(*place)});
      take_host(segments_.back(), *place);
    }
    FileSegment& segment = segments_.back();
    segment.end = {header.file_number, place->end()};
    if (header.last_boot_ns == 0) {
      continue;  // no record with a time
    }
    segment.last_boot_ns = std::max(segment.last_boot_ns, header.last_boot_ns);
    segment.first_boot_ns = segment.first_boot_ns == 0
                                ? header.first_boot_ns
                                : std::min(segment.first_boot_ns, header.first_boot_ns);
    outline_.first_wall_ns =
        std::min(outline_.first_wall_ns.value_or(INT64_MAX), header.first_wall_ns);
    outline_.last_wall_ns =
        std::max(outline_.last_wall_ns.value_or(INT64_MIN), header.last_wall_ns);
  }
}

void Segments::take_host(FileSegment& segment, const BatchPlace& place) {
  if (std::optional<std::span<const std::byte>> payload = headers_.read(place)) {
    for_each_record(*payload, [&segment](std::span<const std::byte> bytes) {
      Recorded record = decode_recorded(bytes, Machine{});
      if (auto* host = std::get_if<HostRecord>(&record)) {
        segment.boot_id = std::move(host->boot_id);
        return false;
      }
      return true;
    });
  } else {
    counted_twice_ += unreadable_.insert(position_of(place)).second ? 1 : 0;
  }
}

void Segments::read(const FileSegment& segment, const UseBatch& use_batch,
                    const UseRecord& use_record) {
  reader_.seek(segment.begin);
  while (std::optional<BatchPlace> place = reader_.next()) {
    if (position_of(*place) >= segment.end) {
      return;
    }
    use_batch(place->header);
    std::uint64_t damaged = reader_.damaged();
    if (std::optional<std::span<const std::byte>> payload = reader_.read(*place)) {
      for_each_record(*payload, [&use_record](std::span<const std::byte> record) {
        use_record(record);
        return true;
      });
    } else if (reader_.damaged() > damaged) {
      unreadable_.insert(position_of(*place));  // and not dropped meanwhile
    }
  }
}

FileDamage Segments::damage() {
  std::uint64_t parts = headers_.damaged() + unreadable_.size() - counted_twice_;
  return {parts, headers_.damaged() > 0 ? headers_.first_damage() : reader_.first_damage(),
          headers_.is_directory() ? 0 : headers_.torn_bytes()};
}

}  // namespace bpftrap
