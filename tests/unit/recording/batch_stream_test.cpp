// SPDX-License-Identifier: GPL-2.0-only
// Reading a directory: reuse, several boots, damage.
#include "core/recording/batch_stream.h"

#include <fstream>

#include "cli/segments.h"
#include "core/recording/outline.h"
#include "unit/recording/directory.h"

namespace bpftrap {
namespace {

TEST_F(DirectoryReaderTest, AFileThatIsUsedAgainIsNoticed) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 1500, 1000);
  run.second();
  BatchStream stream = open_directory(path_);
  Replay replay(everything(), clock_, users_, sink_);
  std::optional<BatchPlace> place;
  for (int i = 0; i < 4; ++i) {
    place = stream.next();
    ASSERT_TRUE(place);
    take(stream, replay, *place);
  }
  std::optional<BatchPlace> stale = stream.next();
  run.events(1501, 7500, 1000);  // around once and more
  run.second();
  EXPECT_FALSE(stream.read(*stale)) << "of the file's former use";
  take_rest(stream, replay);
  EXPECT_EQ(stream.damaged(), 0U);
  ASSERT_EQ(sink_.losses.size(), 1U);
  EXPECT_EQ(sink_.pids.size() + sink_.losses[0], 9000U);
  EXPECT_EQ(sink_.pids.back(), 9000U);
  EXPECT_EQ(sink_.starts, 1);
  EXPECT_EQ(replay.missing(), 0U) << "reported as records";
}

// All files that a reader has listed may be used again before it opens one.
TEST_F(DirectoryReaderTest, AnOutdatedListOfFilesIsNoticed) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 3000, 1000);
  run.second();
  BatchStream stream = open_directory(path_);
  run.events(3001, 6000, 1000);
  run.second();
  Replay replay(everything(), clock_, users_, sink_);
  take_rest(stream, replay);
  EXPECT_EQ(sink_.pids, pids()) << "as a reader that begins now";
  EXPECT_TRUE(sink_.losses.empty());
  EXPECT_EQ(sink_.starts, 1);
  EXPECT_EQ(replay.missing(), 0U);
  EXPECT_EQ(stream.damaged(), 0U);
}

TEST_F(DirectoryReaderTest, FollowsIntoNewFiles) {
  FakeRun run(path_, limits_, 1);
  BatchStream stream = open_directory(path_);
  std::vector<std::uint32_t> seen;
  for (std::uint32_t next = 1; next <= 8000; next += 100) {
    run.events(next, 100, 1000);
    run.second();
    for (std::uint32_t pid : pids_in(stream)) {
      seen.push_back(pid);
    }
  }
  EXPECT_EQ(seen, numbers(1, 8001));
}

TEST_F(DirectoryReaderTest, FollowsADirectoryThatWasEmptied) {
  {
    FakeRun run(path_, limits_, 1);
    run.events(1, 3000, 1000);
    run.second();
  }
  BatchStream stream = open_directory(path_);
  EXPECT_EQ(pids_in(stream), numbers(1, 3001));
  ASSERT_GT(stream.files().back().first.file_number, 1U);
  for (const auto& file : std::filesystem::directory_iterator(path_)) {
    std::filesystem::remove(file);
  }
  FakeRun run(path_, limits_, 2);
  run.events(9001, 10);
  run.second();
  stream.expect_files(false);
  EXPECT_EQ(pids_in(stream), numbers(9001, 9011));
}

TEST_F(DirectoryReaderTest, AWindowOfADirectoryWithoutABeginning) {
  {
    FakeRun run(path_, limits_, 1);
    run.events(1, 10);
    run.second();
    run.events(11, 10);
    run.second();
  }
  std::fstream file(path_ + "/000.bpftrap", std::ios::in | std::ios::out);
  file << std::string(sizeof(RecordingBatch), 'x');
  file.close();
  BatchStream stream = open_directory(path_);
  ASSERT_EQ(stream.files().size(), 1U);
  for (bool with_end : {false, true}) {
    Outline outline = read_outline(stream, {.since_ns = INT64_MAX}, with_end);
    EXPECT_EQ(outline.begin.file_number, 1U);
  }
}

TEST_F(DirectoryReaderTest, AWindowBehindAllRecordsBeginsWithTheLastSegment) {
  for (std::uint64_t number : {1, 2}) {
    FakeRun run(path_, limits_, number);
    run.events(1, 1000, 100);
    run.second();
  }
  BatchStream stream = open_directory(path_);
  BatchPosition last = read_outline(stream, {}).segments.back();
  ASSERT_GT(last.offset, 0U);
  for (bool with_end : {false, true}) {
    EXPECT_EQ(read_outline(stream, {.since_ns = INT64_MAX}, with_end).begin, last);
  }
}

TEST_F(DirectoryReaderTest, SeveralRunsAndBoots) {
  std::int64_t day = std::int64_t{86'400} * 1'000'000'000;
  std::int64_t offset = FakeBoot{}.wall_offset_ns;
  { FakeRun(path_, limits_, 1, {"one", offset}).events(1, 10); }
  { FakeRun(path_, limits_, 2, {"one", offset}).events(11, 10); }
  { FakeRun(path_, limits_, 3, {"two", offset + day}).events(21, 10); }
  // The clock of the third boot is wrong.
  { FakeRun(path_, limits_, 4, {"three", offset - 300 * day}).events(31, 10); }
  // Killed before their second: only what a batch had closed is there.
  EXPECT_EQ(pids(), numbers(1, 1));
  std::filesystem::remove_all(path_);
  auto record = [&](std::uint64_t number, const FakeBoot& boot, std::uint32_t first) {
    FakeRun run(path_, limits_, number, boot);
    run.events(first, 10);
    run.second();
  };
  record(1, {"one", offset}, 1);
  record(2, {"one", offset}, 11);
  record(3, {"two", offset + day}, 21);
  record(4, {"three", offset - 300 * day}, 31);
  EXPECT_EQ(pids(), numbers(1, 41)) << "in the order of their files";
  BatchStream stream = open_directory(path_);
  Replay replay(everything(), clock_, users_, sink_);
  take_rest(stream, replay);
  EXPECT_EQ(sink_.pids, numbers(1, 41));
  EXPECT_EQ(sink_.starts, 4);
  std::vector<Replay::Pause> pauses = replay.take_pauses();
  ASSERT_EQ(pauses.size(), 3U);
  EXPECT_LT(pauses[0].length, std::chrono::seconds(1));
  EXPECT_GT(pauses[1].length, std::chrono::hours(23));
}

TEST_F(DirectoryReaderTest, WindowsFindTheirFiles) {
  std::int64_t hour = std::int64_t{3600} * 1'000'000'000;
  std::int64_t offset = FakeBoot{}.wall_offset_ns;
  FakeRun run(path_, {.bytes = 16 * mebibyte}, 1, {"one", offset});
  for (std::uint32_t i = 0; i < 8; ++i) {
    run.step_clock(offset + i * hour);
    run.events(1 + 1000 * i, 1000, 1000);
    run.second();
  }
  BatchStream stream = open_directory(path_);
  ASSERT_GE(stream.files().size(), 6U);
  std::int64_t boot = BootClock::now().time_since_epoch().count();
  for (std::uint32_t i = 0; i < 8; ++i) {
    std::int64_t from = boot + offset + i * hour - hour / 2;
    Outline outline = read_outline(stream, {from, from + hour});
    Outline brief = read_outline(stream, {from, from + hour}, false);
    EXPECT_EQ(brief.begin, outline.begin);
    EXPECT_EQ(brief.end, outline.end);
    EXPECT_FALSE(brief.last_wall_ns);
    stream.seek(outline.begin);
    std::vector<std::uint32_t> found;
    while (std::optional<BatchPlace> place = stream.next()) {
      if (position_of(*place) > *outline.end) {
        break;
      }
      append_pids(stream, *place, found);
    }
    EXPECT_LE(found.front(), 1 + 1000 * i);
    EXPECT_GE(found.back(), 1000 * (i + 1));
    EXPECT_LE(found.size(), 4000U) << "no more than the files around it";
  }
}

// After the clock went back, records of the window follow later ones, in the same file and in
// others.
TEST_F(DirectoryReaderTest, WindowsEndBehindTheirLastBatch) {
  std::int64_t hour = std::int64_t{3600} * 1'000'000'000;
  std::int64_t offset = FakeBoot{}.wall_offset_ns;
  std::uint32_t next = 1;
  auto record = [&](FakeRun& run, int hours, std::uint32_t count) {
    run.step_clock(offset + hours * hour);
    run.events(next, count, 1000);
    run.second();
    next += count;
  };
  RecordingDirectory::Limits limits{.bytes = 16 * mebibyte};
  {
    FakeRun run(path_, limits, 1, {"one", offset});
    record(run, 0, 100);
    record(run, 2, 100);
    record(run, 0, 100);   // the same file
    record(run, 2, 1500);  // into the next one
  }
  // Both begin in the second file.
  {
    FakeRun run(path_, limits, 2, {"two", offset});
    record(run, 0, 100);
  }
  std::uint32_t end = next;
  FakeRun run(path_, limits, 3, {"three", offset + 2 * hour});
  record(run, 2, 3000);
  BatchStream stream = open_directory(path_);
  std::int64_t boot = BootClock::now().time_since_epoch().count();
  Outline outline = read_outline(stream, {std::nullopt, boot + offset + hour});
  ASSERT_TRUE(outline.end);
  Replay replay(everything(), clock_, users_, sink_);
  while (std::optional<BatchPlace> place = stream.next()) {
    if (position_of(*place) > *outline.end) {
      break;
    }
    take(stream, replay, *place);
  }
  EXPECT_EQ(sink_.pids.size(), end - 1);
  EXPECT_EQ(sink_.pids, numbers(1, end));
  EXPECT_TRUE(sink_.losses.empty());
}

TEST_F(DirectoryReaderTest, ARunWithoutItsFirstBatchIsNotTheFormerOne) {
  {
    FakeRun run(path_, limits_, 1, {"one", FakeBoot{}.wall_offset_ns});
    run.events(1, 10);
    run.second();
  }
  FakeRun run(path_, limits_, 2, {"two", FakeBoot{}.wall_offset_ns});
  run.events(11, 10);
  run.second();
  BatchStream stream = open_directory(path_);
  Replay replay(everything(), clock_, users_, sink_);
  auto take_all_but_the_first = [&] {
    while (std::optional<BatchPlace> place = stream.next()) {
      if (place->header.run == 2 && place->header.sequence == 0) {
        replay.begin_batch(place->header);  // the payload is damaged
      } else {
        take(stream, replay, *place);
      }
    }
  };
  take_all_but_the_first();
  EXPECT_EQ(sink_.pids, numbers(1, 11));
  EXPECT_EQ(sink_.starts, 1);
  run.events(21, 1000, 1000);  // into the next segment
  run.second();
  take_all_but_the_first();
  EXPECT_EQ(sink_.starts, 2);
  ASSERT_EQ(sink_.losses.size(), 1U);
  EXPECT_EQ(sink_.pids.size() + sink_.losses[0], 1020U);
  EXPECT_EQ(sink_.pids.back(), 1020U);
}

TEST_F(DirectoryReaderTest, ASegmentHasOneRunOnly) {
  std::uint64_t at = 0;
  {
    FakeRun run(path_, limits_, 1, {"one", FakeBoot{}.wall_offset_ns});
    run.events(1, 10);
    run.second();
    at = run.directory().file_used();
  }
  {
    FakeRun run(path_, limits_, 2, {"two", FakeBoot{}.wall_offset_ns});
    run.events(11, 10);
    run.second();
  }
  std::fstream file(path_ + "/000.bpftrap", std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file << "damage";
  file.close();
  Source source = open_source(path_);
  Segments segments(source);
  ASSERT_EQ(segments.all().size(), 2U);
  EXPECT_EQ(segments.all()[0].boot_id, "one");
  EXPECT_EQ(segments.all()[1].boot_id, "") << "unknown";
}

TEST_F(DirectoryReaderTest, DamageIsReportedWithItsFile) {
  {
    FakeRun run(path_, limits_, 1);
    for (std::uint32_t i = 0; i < 10; ++i) {
      run.events(1 + 10 * i, 10);
      run.second();
    }
  }
  BatchStream whole = open_directory(path_);
  std::optional<BatchPlace> place;
  for (int i = 0; i < 5; ++i) {
    place = whole.next();
    ASSERT_TRUE(place);
  }
  std::fstream file(path_ + "/000.bpftrap", std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(place->position + sizeof(RecordingBatch)));
  file << "damage";
  file.close();
  BatchStream stream = open_directory(path_);
  EXPECT_EQ(pids_in(stream).size(), 90U);
  EXPECT_EQ(stream.damaged(), 1U);
  EXPECT_TRUE(stream.first_damage().ends_with(" of 000.bpftrap")) << stream.first_damage();
}

TEST_F(DirectoryReaderTest, AtItsEndItListsFilesOnlyIfTheyMayHaveChanged) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 10);
  run.second();
  BatchStream stream = open_directory(path_);
  stream.expect_files(false);
  EXPECT_EQ(pids_in(stream), numbers(1, 11));
  EXPECT_EQ(stream.name(), "000.bpftrap");
  run.events(11, 2000, 1000);
  run.second();
  EXPECT_FALSE(pids_in(stream).empty()) << "the rest of the file";
  EXPECT_EQ(stream.files().size(), 1U);
  stream.expect_files(true);
  EXPECT_EQ(pids_in(stream).back(), 2010U);
  EXPECT_EQ(stream.files().size(), 3U);
}

}  // namespace
}  // namespace bpftrap
