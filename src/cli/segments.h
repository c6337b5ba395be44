// SPDX-License-Identifier: GPL-2.0-only
// The segments of a recording, each of which can be read by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cli/load_run.h"
#include "cli/show_source.h"
#include "core/recording/batch_stream.h"

namespace bpftrap {

struct FileSegment {
  BatchPosition begin = {};  // its first batch
  BatchPosition end = {};    // behind its last batch
  // Times of its records, without those of its beginning; 0 if it has none.
  std::uint64_t first_boot_ns = 0;
  std::uint64_t last_boot_ns = 0;
  std::string boot_id = {};
};

class Segments {
 public:
  using UseBatch = std::function<void(const RecordingBatch&)>;
  using UseRecord = std::function<void(std::span<const std::byte>)>;

  // `source` must outlive this object. Throws Error if there is no batch.
  explicit Segments(const Source& source);

  // Reads the headers of batches that were added since.
  void refresh();

  const std::vector<FileSegment>& all() const { return segments_; }
  // The time span of all records, in local time.
  std::string span() const { return describe_span(outline_); }

  // Damage found so far, of segments that were not read in their headers only.
  FileDamage damage();
  std::uint64_t missing_batches() const { return missing_; }

  // Passes the records of a segment on, in their order.
  void read(const FileSegment& segment, const UseBatch& use_batch, const UseRecord& use_record);

 private:
  void take_host(FileSegment& segment, const BatchPlace& place);

  BatchStream headers_;
  BatchStream reader_;
  Outline outline_;
  std::vector<FileSegment> segments_;
  std::optional<RecordingBatch> last_;
  std::uint64_t missing_ = 0;
  std::set<BatchPosition> unreadable_;
  std::uint64_t counted_twice_ = 0;  // of them, those that headers_ has read
};

}  // namespace bpftrap
