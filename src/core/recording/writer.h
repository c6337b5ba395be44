// SPDX-License-Identifier: GPL-2.0-only
// Gathers records into batches. A closed batch is complete: it is never changed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/os/clock.h"
#include "core/recording/deflate.h"
#include "core/recording/fold.h"
#include "core/recording/format.h"

namespace bpftrap {

class RecordingWriter {
 public:
  struct Setup {
    std::string& out;  // closed batches are appended to it
    const WallClock& clock;
    std::uint64_t run = 0;                    // random
    std::function<bool()> may_compress = {};  // asked per batch; empty: always
    // Does not deflate a batch that was filled in less than this, because that costs more than a
    // record does.
    std::chrono::nanoseconds busy = std::chrono::milliseconds(100);
    // The maximum size of a file of a directory, and the bytes of the first one before this run. 0:
    // there is one file of any size.
    std::uint64_t file_bytes = 0;
    std::uint64_t file_used = 0;
  };
  explicit RecordingWriter(Setup setup);

  // Adds a record, which begins with bpftrap_record_header. Closes the batch if it is full.
  void add(std::span<const std::byte> record);
  void add(std::string_view record) { add(std::as_bytes(std::span(record))); }

  // Closes the batch, if it has records.
  void close_batch();

  // True if the segment has enough bytes beside the state at its beginning, and no less than that,
  // or if the file may have no room for the next record.
  bool segment_is_full() const {
    return segment_bytes_ >= state_bytes_ + std::max(segment_usual(), state_bytes_) ||
           file_is_full();
  }
  // The records so far are the state at the beginning of the segment.
  void end_state();
  // Closes the batch. The next one begins a segment, and a file if this one has not enough room.
  void begin_segment(bool in_new_file = false);

 private:
  // A payload as the file has it.
  struct Stored {
    std::span<const std::byte> prefix;
    std::span<const std::byte> bytes;
    std::uint16_t codec = 0;
  };

  // True if deflating does not hold up the recorder.
  bool is_calm() const;
  bool file_is_full() const;
  std::size_t segment_usual() const {
    return setup_.file_bytes == 0 ? segment_bytes : directory_segment_bytes;
  }
  void count_time(const bpftrap_record_header& header);
  RecordingBatch make_header(const Stored& stored);

  Setup setup_;
  Deflater deflater_;
  Folder folder_;
  std::size_t raw_size_ = 0;  // of the payload before it was folded
  std::uint32_t records_ = 0;
  BootTime began_;  // the batch
  std::uint64_t sequence_ = 0;
  std::uint64_t first_ = UINT64_MAX;
  std::uint64_t last_ = 0;
  std::int64_t first_wall_ = INT64_MAX;
  std::int64_t last_wall_ = INT64_MIN;
  std::size_t segment_bytes_ = 0;
  std::size_t state_bytes_ = 0;  // of them, the state at the beginning
  std::uint64_t file_used_ = 0;
  bool begins_segment_ = true;
  bool begins_file_ = false;
};

}  // namespace bpftrap
