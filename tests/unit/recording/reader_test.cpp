// SPDX-License-Identifier: GPL-2.0-only
// The file format: what is written is read, and damage does no harm.
#include "core/recording/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "core/os/error.h"
#include "core/recording/crc32c.h"
#include "unit/recording/golden.h"
#include "unit/recording/sample.h"

namespace bpftrap {
namespace {

using namespace std::literals;

TEST(Recording, WhatIsWrittenIsRead) {
  for (bool compressed : {false, true}) {
    for (std::size_t per_batch : {1, 2, 100}) {
      std::string recording = sample_recording(sample_records(), per_batch, compressed);
      ReadResult result = read_recording(recording);
      EXPECT_EQ(result.records, sample_records());
      EXPECT_EQ(result.damaged, 0U);
      EXPECT_EQ(result.torn, 0U);
    }
  }
}

TEST(Recording, HeaderTellsTimesAndRecords) {
  std::string recording = sample_recording();
  UniqueFd file = file_with(recording);
  RecordingReader reader(file.get());
  std::optional<BatchPlace> place = reader.next();
  ASSERT_TRUE(place);
  const RecordingBatch& header = place->header;
  EXPECT_EQ(header.run, 42U);
  EXPECT_EQ(header.sequence, 0U);
  EXPECT_EQ(header.flags, batch_begins_segment);
  EXPECT_EQ(header.codec, codec_fold | codec_deflate);
  EXPECT_EQ(header.records, sample_records().size());
  EXPECT_EQ(header.first_boot_ns, 2'000'000'000U);
  EXPECT_EQ(header.last_boot_ns, 6'000'000'000U);
  EXPECT_EQ(header.first_wall_ns, 1'002'000'000'000);
  EXPECT_EQ(header.last_wall_ns, 1'006'000'000'000);
  EXPECT_FALSE(reader.next());
}

TEST(Recording, BatchThatFillsQuicklyIsNotDeflated) {
  std::string exec = text_of(wire_exec("/bin/x", "", std::string_view("x", 2), 2));
  auto codec_if_busy_below = [&exec](std::chrono::nanoseconds busy) {
    std::string out;
    WallClock clock = clock_of_sample();
    RecordingWriter writer({out, clock, 1, {}, busy});
    while (out.empty()) {
      writer.add(exec);
    }
    RecordingBatch header;
    std::memcpy(&header, out.data(), sizeof header);
    return header.codec;
  };
  EXPECT_EQ(codec_if_busy_below(1h), codec_fold);
  EXPECT_EQ(codec_if_busy_below(0s), codec_fold | codec_deflate);
}

TEST(Recording, LargeRecordsAndSegments) {
  std::string out;
  WallClock clock = clock_of_sample();
  RecordingWriter writer({out, clock, 1, [] { return false; }});
  std::string args(30000, 'x');
  args += '\0';
  std::string exec = text_of(wire_exec("/bin/x", "", args, args.size()));
  writer.add(exec);
  writer.end_state();
  int written = 1;
  for (; !writer.segment_is_full(); ++written) {
    writer.add(exec);
  }
  EXPECT_GE(out.size(), segment_bytes);
  EXPECT_LT(out.size(), segment_bytes + 2 * batch_raw_usual);
  writer.begin_segment();
  writer.add(exec);
  writer.close_batch();

  UniqueFd file = file_with(out);
  RecordingReader reader(file.get());
  std::vector<std::uint64_t> segments;
  std::uint64_t sequence = 0;
  while (std::optional<BatchPlace> place = reader.next()) {
    EXPECT_EQ(place->header.sequence, sequence++);
    if ((place->header.flags & batch_begins_segment) != 0) {
      segments.push_back(place->position);
    }
  }
  EXPECT_EQ(segments.size(), 2U);
  EXPECT_EQ(read_recording(out).records.size(), static_cast<std::size_t>(written) + 1);
}

// A crash may leave any part of the last batch.
TEST(Recording, TornTailIsCut) {
  std::string recording = sample_recording(sample_records(), 3);
  std::vector<std::string> all = sample_records();
  std::size_t whole = 0;  // end of the batches that are complete
  std::size_t records = 0;
  for (std::size_t size = 0; size < recording.size(); ++size) {
    ReadResult result = read_recording(recording.substr(0, size));
    if (result.records.size() != records) {
      whole = size;
      records = result.records.size();
    }
    EXPECT_EQ(records % 3, 0U);
    EXPECT_TRUE(std::equal(result.records.begin(), result.records.end(), all.begin()));
    EXPECT_EQ(result.torn, size - whole) << size;
    EXPECT_EQ(result.damaged, 0U) << size;
  }
  EXPECT_EQ(records, 6U);
}

TEST(Recording, EveryChangedByteIsDetected) {
  std::vector<std::string> all = sample_records();
  for (bool compressed : {false, true}) {
    std::string recording = sample_recording(all, 3, compressed);
    for (std::size_t at = 0; at < recording.size(); ++at) {
      for (int change : {0x01, 0x80, 0xff}) {
        std::string changed = recording;
        changed[at] = static_cast<char>(changed[at] ^ change);
        ReadResult result = read_recording(changed);
        // The other two batches of three records are intact.
        EXPECT_EQ(result.records.size(), 6U) << at;
        for (const std::string& record : result.records) {
          EXPECT_NE(std::find(all.begin(), all.end(), record), all.end()) << at;
        }
        EXPECT_TRUE(result.damaged == 1 || result.torn > 0) << at;
      }
    }
  }
}

TEST(Recording, ContinuesBehindForeignBytes) {
  std::string recording = sample_recording();
  ReadResult result = read_recording(std::string(100'000, 'x') + recording + "xyz" + recording);
  EXPECT_EQ(result.records.size(), 2 * sample_records().size());
  EXPECT_EQ(result.damaged, 2U);
}

TEST(Recording, ReadsOnWhenTheFileHasGrown) {
  std::string recording = sample_recording(sample_records(), 3);
  UniqueFd file = file_with(recording.substr(0, recording.size() - 1));
  RecordingReader reader(file.get());
  EXPECT_TRUE(reader.next());
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(::write(file.get(), &recording.back(), 1), 1);
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.damaged(), 0U);
}

// Sets members of the first header, and makes its checksum right again.
template <class Change>
std::string with_header(Change change) {
  std::string recording = sample_recording();
  RecordingBatch header;
  std::memcpy(&header, recording.data(), sizeof header);
  change(header);
  header.header_crc = 0;
  header.header_crc = crc32c(0, std::as_bytes(std::span(&header, 1)));
  std::memcpy(recording.data(), &header, sizeof header);
  return recording;
}

// A restart of the recorder replaces an incomplete batch, whose header may have been read ahead.
TEST(Recording, ReadsWhatReplacesATornBatch) {
  std::string recording = sample_recording(sample_records(), 1);
  std::size_t batches = sample_records().size();
  std::string next = with_header([](RecordingBatch& header) { header.run = 43; });
  for (std::size_t before = 0; before < batches; ++before) {
    UniqueFd file = file_with(recording.substr(0, recording.size() - 1));
    RecordingReader reader(file.get());
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < before; ++i) {
      ASSERT_TRUE(reader.next());
    }
    RecordingReader ahead(file.get());
    while (std::optional<BatchPlace> place = ahead.next()) {
      last = place->end();
    }
    ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(last)), 0);
    ASSERT_EQ(::pwrite(file.get(), next.data(), next.size(), static_cast<off_t>(last)),
              static_cast<ssize_t>(next.size()));
    std::uint64_t run = 0;
    for (std::size_t i = before; i < batches; ++i) {
      std::optional<BatchPlace> place = reader.next();
      ASSERT_TRUE(place);
      EXPECT_TRUE(reader.read(*place));
      run = place->header.run;
    }
    EXPECT_EQ(run, 43U);
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.damaged(), 0U);
  }
}

// A batch that is incomplete at the first look may be complete, and followed by another, when the
// reader looks for the next magic bytes.
TEST(Recording, NoBatchIsSkippedWhileTheFileGrows) {
  std::string one = sample_recording();
  std::string two = one + one;
  UniqueFd file = file_with("");
  constexpr std::uint64_t pairs = 20'000;
  // pwrite(), because the reader moves the file's offset.
  std::thread recorder([&] {
    for (std::uint64_t i = 0; i < pairs; ++i) {
      ASSERT_EQ(::pwrite(file.get(), two.data(), two.size(), static_cast<off_t>(i * two.size())),
                static_cast<ssize_t>(two.size()));
    }
  });
  RecordingReader reader(file.get());
  std::uint64_t batches = 0;
  while (reader.position() < pairs * two.size()) {
    batches += reader.next() ? 1 : 0;
  }
  recorder.join();
  EXPECT_EQ(reader.damaged(), 0U);
  EXPECT_EQ(batches, 2 * pairs);
}

TEST(Recording, HugeSizesAreRefused) {
  auto records_with = [](auto change) {
    return read_recording(with_header(change)).records.size();
  };
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.raw_size = 0xffffffff; }), 0U);
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.stored_size = 0xffffffff; }), 0U);
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.header_size = 0xffff; }), 0U);
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.header_size = 8; }), 0U);
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.raw_size += 1; }), 0U) << "unfolds to less";
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.raw_size -= 1; }), 0U) << "unfolds to more";
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.codec = 7; }), 0U);
  EXPECT_EQ(records_with([](RecordingBatch& h) { h.run = 7; }), sample_records().size());
}

TEST(Recording, NewerFormatIsNamed) {
  try {
    read_recording(with_header([](RecordingBatch& header) { header.version = 2; }));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("format 2"), std::string::npos) << error.message();
  }
}

TEST(Recording, MalformedPayload) {
  auto reads = [](std::string_view payload) {
    std::size_t count = 0;
    bool whole = for_each_record(std::as_bytes(std::span(payload)),
                                 [&count](std::span<const std::byte>) { return ++count > 0; });
    return whole ? static_cast<int>(count) : -1;
  };
  EXPECT_EQ(reads(""sv), 0);
  EXPECT_EQ(reads("\1\0\0\0x"sv), 1);
  EXPECT_EQ(reads("\1\0\0\0x\0"sv), -1);
  EXPECT_EQ(reads("\2\0\0\0x"sv), -1);
  EXPECT_EQ(reads("\xff\xff\xff\xffx"sv), -1);
}

// A reader accepts recordings of earlier versions. docs/recording.md explains these bytes.
TEST(Recording, GoldenBytesOfVersion1) {
  ReadResult result = read_recording(golden_recording_1());
  EXPECT_EQ(result.records, golden_records_1());
  EXPECT_EQ(result.damaged, 0U);
  EXPECT_EQ(result.torn, 0U);
  ReadResult folded = read_recording(golden_recording_folded_1());
  EXPECT_EQ(folded.records, golden_records_folded_1());
  EXPECT_EQ(folded.damaged, 0U);
  EXPECT_EQ(folded.torn, 0U);
}

}  // namespace
}  // namespace bpftrap
