// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/recording/crc32c.h"

namespace bpftrap {

namespace {

template <class Plain>
std::span<const std::byte> bytes_of(const Plain& plain) {
  return std::as_bytes(std::span(&plain, 1));
}

// Records about the state at the beginning of a segment have the time of an earlier event.
bool is_state(std::uint8_t kind) {
  return kind == recorded_start || kind == recorded_clock || kind == recorded_last_exec ||
         kind == recorded_birth || kind == recorded_tally;
}

}  // namespace

RecordingWriter::RecordingWriter(Setup setup)
    : setup_(std::move(setup)), file_used_(setup_.file_used) {}

void RecordingWriter::count_time(const bpftrap_record_header& header) {
  if (is_state(header.kind)) {
    return;
  }
  first_ = std::min<std::uint64_t>(first_, header.boot_ns);
  last_ = std::max<std::uint64_t>(last_, header.boot_ns);
  BootTime time(std::chrono::nanoseconds(static_cast<std::int64_t>(header.boot_ns)));
  std::int64_t wall = setup_.clock.to_wall(time).ns;
  first_wall_ = std::min(first_wall_, wall);
  last_wall_ = std::max(last_wall_, wall);
}

void RecordingWriter::add(std::span<const std::byte> record) {
  bpftrap_record_header header;
  std::memcpy(&header, record.data(), sizeof header);
  count_time(header);
  if (records_ == 0) {
    began_ = BootClock::now();
  }
  folder_.add(record);
  raw_size_ += sizeof(std::uint32_t) + record.size();
  ++records_;
  if (raw_size_ >= batch_raw_usual) {
    close_batch();
  }
}

RecordingBatch RecordingWriter::make_header(const Stored& stored) {
  RecordingBatch header{};
  std::memcpy(header.magic, recording_magic, sizeof header.magic);
  header.version = recording_version;
  header.header_size = sizeof header;
  header.codec = stored.codec;
  header.flags = begins_segment_ ? batch_begins_segment : 0;
  header.flags |= begins_file_ ? batch_begins_file : 0;
  header.run = setup_.run;
  header.sequence = sequence_++;
  if (first_ <= last_) {
    header.first_boot_ns = first_;
    header.last_boot_ns = last_;
    header.first_wall_ns = first_wall_;
    header.last_wall_ns = last_wall_;
  }
  header.records = records_;
  header.raw_size = static_cast<std::uint32_t>(raw_size_);
  header.stored_size = static_cast<std::uint32_t>(stored.prefix.size() + stored.bytes.size());
  header.payload_crc = crc32c(crc32c(0, stored.prefix), stored.bytes);
  header.header_crc = crc32c(0, bytes_of(header));
  return header;
}

bool RecordingWriter::is_calm() const {
  bool filled = raw_size_ >= batch_raw_usual;
  if (filled && BootClock::now() - began_ < setup_.busy) {
    return false;
  }
  return !setup_.may_compress || setup_.may_compress();
}

void RecordingWriter::close_batch() {
  if (records_ == 0) {
    return;
  }
  Stored stored{{}, folder_.bytes(), codec_fold};
  auto folded_size = static_cast<std::uint32_t>(stored.bytes.size());
  if (is_calm()) {
    if (std::span<const std::byte> small = deflater_.deflate(stored.bytes); !small.empty()) {
      stored = {bytes_of(folded_size), small, codec_fold | codec_deflate};
    }
  }
  RecordingBatch header = make_header(stored);
  for (std::span<const std::byte> part : {bytes_of(header), stored.prefix, stored.bytes}) {
    setup_.out.append(reinterpret_cast<const char*>(part.data()), part.size());
  }
  segment_bytes_ += sizeof header + header.stored_size;
  file_used_ += sizeof header + header.stored_size;
  folder_.clear();
  raw_size_ = 0;
  records_ = 0;
  first_ = UINT64_MAX;
  last_ = 0;
  first_wall_ = INT64_MAX;
  last_wall_ = INT64_MIN;
  begins_segment_ = false;
  begins_file_ = false;
}

void RecordingWriter::end_state() {
  close_batch();
  state_bytes_ = segment_bytes_;
}

bool RecordingWriter::file_is_full() const {
  // The open batch, and the largest record with its cgroup and user.
  constexpr std::uint64_t record_most = std::uint64_t{192} << 10;
  return setup_.file_bytes != 0 &&
         file_used_ + sizeof(RecordingBatch) + folder_.bytes().size() + record_most >
             setup_.file_bytes;
}

void RecordingWriter::begin_segment(bool in_new_file) {
  close_batch();
  std::uint64_t wanted =
      std::min<std::uint64_t>(setup_.file_bytes / 4, segment_usual() + state_bytes_);
  begins_file_ = setup_.file_bytes != 0 &&
                 (in_new_file || file_used_ == 0 || file_used_ + wanted > setup_.file_bytes);
  file_used_ = begins_file_ ? 0 : file_used_;
  segment_bytes_ = 0;
  state_bytes_ = 0;
  begins_segment_ = true;
}

}  // namespace bpftrap
