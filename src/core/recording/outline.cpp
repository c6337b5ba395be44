// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/outline.h"

#include <algorithm>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// A file of 16 GB has fewer. Beyond that, every second one is kept.
constexpr std::size_t segments_most = 4096;
// The clock is adjusted by less than this without a step, in ns.
constexpr std::int64_t slack = 1'000'000'000;

// Takes the host and the run from the first batch. Returns false if it is damaged, or was dropped.
bool read_run(BatchStream& stream, const BatchPlace& place, Outline& outline) {
  std::optional<std::span<const std::byte>> payload = stream.read(place);
  if (!payload) {
    return false;
  }
  for_each_record(*payload, [&outline](std::span<const std::byte> bytes) {
    Recorded record = decode_recorded(bytes, Machine{});
    if (auto* host = std::get_if<HostRecord>(&record)) {
      outline.host = std::move(*host);
    } else if (const auto* run = std::get_if<RunRecord>(&record)) {
      outline.has_program = run->has_program;
      return false;
    }
    return true;
  });
  return true;
}

void keep_some(std::vector<BatchPosition>& segments) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < segments.size(); i += 2) {
    segments[kept++] = segments[i];
  }
  segments.resize(kept);
}

class Outliner {
 public:
  Outliner(const BatchStream& recording, const Window& window)
      : window_(window), stream_(recording.again()) {}

  Outline run(bool with_end);

 private:
  // Calls `use` for the batches of one file; of a recording in one file, for all of them. It
  // returns false to end that.
  template <class Use>
  void scan(std::uint32_t file_number, Use use);
  void take(const BatchPlace& place);
  bool is_in_window(const RecordingBatch& header) const {
    return header.last_boot_ns != 0 && header.last_wall_ns >= *window_.since_ns;
  }
  void outline_file();
  void outline_directory(bool with_end);
  bool is_before_end(const RecordingBatch& header) const {
    return header.last_boot_ns != 0 && header.first_wall_ns <= *window_.until_ns;
  }
  bool is_steady(std::size_t index) const;
  bool may_begin_in(std::size_t index) const;
  bool may_end_in(std::size_t index) const;
  BatchPosition find_begin();
  BatchPosition find_end();

  const Window& window_;
  BatchStream stream_;
  Outline outline_;
};

template <class Use>
void Outliner::scan(std::uint32_t file_number, Use use) {
  stream_.seek({file_number, 0});
  while (std::optional<BatchPlace> place = stream_.next()) {
    bool is_of_file = !stream_.is_directory() || place->header.file_number == file_number;
    if (!is_of_file || !use(*place)) {
      return;
    }
  }
}

void Outliner::take(const BatchPlace& place) {
  const RecordingBatch& header = place.header;
  if ((header.flags & batch_begins_segment) != 0) {
    outline_.segments.push_back(position_of(place));
    if (outline_.segments.size() >= segments_most) {
      keep_some(outline_.segments);
    }
  }
  if (header.last_boot_ns == 0) {
    return;  // no record with a time
  }
  outline_.first_wall_ns =
      std::min(outline_.first_wall_ns.value_or(INT64_MAX), header.first_wall_ns);
  outline_.last_wall_ns = std::max(outline_.last_wall_ns.value_or(INT64_MIN), header.last_wall_ns);
}

void Outliner::outline_file() {
  std::optional<BatchPosition> begin;
  BatchPosition segment;
  bool any = false;
  scan(0, [&](const BatchPlace& place) {
    if (!std::exchange(any, true)) {
      read_run(stream_, place, outline_);
    }
    take(place);
    if ((place.header.flags & batch_begins_segment) != 0) {
      segment = position_of(place);
    }
    if (window_.since_ns && !begin && is_in_window(place.header)) {
      begin = segment;
    }
    if (window_.until_ns && is_before_end(place.header)) {
      outline_.end = position_of(place);
    }
    return true;
  });
  outline_.begin = window_.since_ns ? begin.value_or(segment) : BatchPosition{};
  if (window_.until_ns && !outline_.end) {
    outline_.end = BatchPosition{};
  }
}

// True if the clock has not moved between the first batches of this file and the next one, of the
// same run. A step forth and back within a file is not noticed, because only its first header is
// read.
bool Outliner::is_steady(std::size_t index) const {
  const std::vector<SegmentFile>& files = stream_.files();
  if (index + 1 == files.size()) {
    return false;
  }
  auto offset = [](const RecordingBatch& batch) {
    return batch.first_wall_ns - static_cast<std::int64_t>(batch.first_boot_ns);
  };
  const RecordingBatch& first = files[index].first;
  const RecordingBatch& next = files[index + 1].first;
  std::int64_t step = offset(next) - offset(first);
  return first.run == next.run && step < slack && step > -slack;
}

// False if all batches of this file are before the window.
bool Outliner::may_begin_in(std::size_t index) const {
  return !is_steady(index) ||
         stream_.files()[index + 1].first.first_wall_ns + slack >= *window_.since_ns;
}

// False if all batches of this file are behind the window.
bool Outliner::may_end_in(std::size_t index) const {
  return !is_steady(index) ||
         stream_.files()[index].first.first_wall_ns - slack <= *window_.until_ns;
}

// If no batch is in the window, the last segment.
BatchPosition Outliner::find_begin() {
  std::optional<BatchPosition> begin;
  BatchPosition segment;
  const std::vector<SegmentFile> files = stream_.files();
  for (std::size_t i = 0; i < files.size() && !begin; ++i) {
    if (!may_begin_in(i)) {
      continue;
    }
    segment = {files[i].first.file_number, 0};
    scan(segment.file_number, [&](const BatchPlace& place) {
      if ((place.header.flags & batch_begins_segment) != 0) {
        segment = position_of(place);
      }
      if (is_in_window(place.header)) {
        begin = segment;
      }
      return !begin;
    });
  }
  return begin.value_or(segment);
}

BatchPosition Outliner::find_end() {
  const std::vector<SegmentFile> files = stream_.files();
  std::optional<BatchPosition> end;
  for (std::size_t i = files.size(); i > 0 && !end; --i) {
    if (!may_end_in(i - 1)) {
      continue;
    }
    scan(files[i - 1].first.file_number, [&](const BatchPlace& place) {
      if (is_before_end(place.header)) {
        end = position_of(place);
      }
      return true;
    });
  }
  return end.value_or(BatchPosition{});
}

void Outliner::outline_directory(bool with_end) {
  const std::vector<SegmentFile> files = stream_.files();
  if (files.empty()) {
    return;
  }
  bool has_run = false;
  for (std::size_t i = 0; i < files.size() && !has_run; ++i) {
    scan(files[i].first.file_number, [&](const BatchPlace& place) {
      has_run = read_run(stream_, place, outline_);
      return false;
    });
  }
  for (const SegmentFile& file : files) {
    if (&file != &files.back()) {
      outline_.segments.push_back({file.first.file_number, 0});
    }
  }
  outline_.first_wall_ns = files.front().first.first_wall_ns;
  if (with_end) {
    scan(files.back().first.file_number, [this](const BatchPlace& place) {
      take(place);
      return true;
    });
  }
  outline_.begin = {files.front().first.file_number, 0};
  if (window_.since_ns) {
    outline_.begin = find_begin();
  }
  if (window_.until_ns) {
    outline_.end = find_end();
  }
}

Outline Outliner::run(bool with_end) {
  if (stream_.is_directory()) {
    outline_directory(with_end);
  } else {
    outline_file();
  }
  if (outline_.segments.empty() && !outline_.first_wall_ns) {
    throw Error("the recording has no complete records", 0);
  }
  outline_.size = stream_.size();
  return std::move(outline_);
}

}  // namespace

Outline read_outline(const BatchStream& recording, const Window& window, bool with_end) {
  return Outliner(recording, window).run(with_end);
}

BatchPosition segment_of(const BatchStream& recording, BatchPosition position) {
  BatchStream stream = recording.again();
  BatchPosition segment{position.file_number, 0};
  std::optional<std::uint64_t> run;
  stream.seek(segment);
  while (std::optional<BatchPlace> place = stream.next()) {
    const RecordingBatch& header = place->header;
    if (header.file_number != position.file_number || place->position > position.offset) {
      break;
    }
    // The first batch of a run may be damaged.
    if ((header.flags & batch_begins_segment) != 0 || run != header.run) {
      segment = position_of(*place);
    }
    run = header.run;
  }
  return segment;
}

}  // namespace bpftrap
