// SPDX-License-Identifier: GPL-2.0-only
// The position of a reader: its file, and what becomes of it when records are gone.
#include "core/recording/cursor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <fstream>

#include "cli/show_cursor.h"
#include "core/os/error.h"
#include "core/recording/outline.h"
#include "unit/recording/directory.h"

namespace bpftrap {
namespace {

TEST_F(DirectoryReaderTest, CursorsAreTextThatIsChecked) {
  Cursor cursor{0xdeadbeef, 12, {3, 456}, 7, 89};
  std::string text = encode(cursor);
  EXPECT_EQ(text,
            "bpftrap cursor 1: run=deadbeef sequence=12 file=3 offset=456 records=7 events=89\n");
  EXPECT_EQ(parse_cursor(text), cursor);
  cursor.events.reset();
  EXPECT_EQ(parse_cursor(encode(cursor)), cursor);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_cursor(text.substr(0, size))) << size;
  }
  for (const char* wrong :
       {"", "x", "bpftrap cursor 2: run=1 sequence=1 file=1 offset=1 records=1\n",
        "bpftrap cursor 1: run=1 sequence=1 file=5000000000 offset=1 records=1\n",
        "bpftrap cursor 1: run=1 sequence=-1 file=5 offset=1 records=1\n",
        "bpftrap cursor 1: run=1 sequence=1 file=5 offset=99999999999999999999 records=1\n",
        "bpftrap cursor 1: run=1 sequence=1 file=5 offset=9223372036854775808 records=1\n"}) {
    EXPECT_FALSE(parse_cursor(wrong)) << wrong;
  }
}

TEST_F(DirectoryReaderTest, CursorIsValidUntilItsFileIsUsedAgain) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 500, 1000);
  run.second();
  BatchStream stream = open_directory(path_);
  stream.next();
  BatchPlace place = *stream.next();
  Cursor cursor{place.header.run, place.header.sequence, position_of(place), 5, 5};
  EXPECT_TRUE(is_valid(cursor, stream));
  EXPECT_EQ(segment_of(stream, cursor.batch), (BatchPosition{1, 0}));
  Cursor other = cursor;
  other.sequence += 1;
  EXPECT_FALSE(is_valid(other, stream));
  run.events(501, 6000, 1000);
  run.second();
  BatchStream later = open_directory(path_);
  EXPECT_FALSE(is_valid(cursor, later));
  Replay replay(everything(), clock_, users_, sink_);
  replay.begin_behind_dropped(cursor.events);
  take_rest(later, replay);
  ASSERT_EQ(sink_.losses.size(), 1U);
  EXPECT_EQ(5 + sink_.losses[0] + sink_.pids.size(), 6500U);
}

// A crash of the machine may take the batch of the cursor with it, and others before.
TEST_F(DirectoryReaderTest, CursorBehindTheEndOfACrashedRunGoesOnWithTheNextRun) {
  std::uintmax_t kept = 0;
  {
    FakeRun run(path_, limits_, 1);
    run.events(1, 10);
    run.second();
    kept = run.directory().file_used();
    run.events(11, 10);
    run.second();
  }
  BatchStream before = open_directory(path_);
  BatchPlace last;
  while (std::optional<BatchPlace> place = before.next()) {
    last = *place;
  }
  Cursor cursor{last.header.run, last.header.sequence, position_of(last), 10, 20};
  EXPECT_EQ(last_read(cursor, before), cursor);
  std::filesystem::resize_file(path_ + "/000.bpftrap", kept);
  {
    FakeRun run(path_, limits_, 2);
    run.events(21, 10);
    run.second();
  }
  BatchStream stream = open_directory(path_);
  std::optional<Cursor> found = last_read(cursor, stream);
  ASSERT_TRUE(found);
  EXPECT_LT(found->batch, cursor.batch);
  stream.seek(segment_of(stream, found->batch));
  Replay replay(everything(), clock_, users_, sink_);
  while (std::optional<BatchPlace> place = stream.next()) {
    replay.mute(position_of(*place) <= found->batch);
    take(stream, replay, *place);
  }
  EXPECT_EQ(sink_.pids, numbers(21, 31));
  EXPECT_TRUE(sink_.losses.empty());
  cursor.run = 3;
  EXPECT_FALSE(last_read(cursor, stream)) << "the directory was made anew";
}

TEST_F(DirectoryReaderTest, AFileTellsWhatIsUnread) {
  UniqueFd file = file_with(sample_recording());
  BatchStream stream = BatchStream::of(file.get());
  EXPECT_EQ(events_behind({42, 0, {}, 0, {}}, stream), 3U);
  EXPECT_EQ(events_behind({42, 0, {}, 7, {}}, stream), 1U) << "the end";
  EXPECT_EQ(events_behind({42, 0, {}, 9, {}}, stream), 0U);
  EXPECT_FALSE(last_read({43, 0, {}, 9, {}}, stream));
  Replay replay(everything(), clock_, users_, sink_);
  replay.begin_behind_dropped({}, 7);
  take_rest(stream, replay);
  EXPECT_EQ(sink_.losses, std::vector<std::uint64_t>{7});
}

TEST_F(DirectoryReaderTest, ACursorSkipsNothingBehindItsPosition) {
  {
    FakeRun run(path_, limits_, 1);
    run.events(1, 3000, 1000);
    run.second();
  }
  BatchStream stream = open_directory(path_);
  std::optional<BatchPlace> first = stream.next();
  std::optional<BatchPlace> last = first;
  while (std::optional<BatchPlace> place = stream.next()) {
    last = place;
  }
  ASSERT_GT(position_of(*last), position_of(*first));
  std::string file = scratch_ + "/cursor";
  CursorFile(file).store({1, last->header.sequence, position_of(*last), 5, {}});
  ShowCursor cursor(file);
  Replay replay(everything(), clock_, users_, sink_);
  cursor.resume(stream, path_, replay);
  EXPECT_EQ(cursor.first_wanted(*first), UINT64_MAX);
  cursor.advance(*first, 1, replay);
  EXPECT_EQ(cursor.first_wanted(*last), 5U);
  cursor.advance(*last, 9, replay);
  EXPECT_EQ(cursor.first_wanted(*first), 0U) << "of a recorder that began anew";
}

// A reader with a cursor, and a recorder that goes around the directory while the reader resumes.
class OvertakenReaderTest : public DirectoryReaderTest {
 protected:
  static constexpr std::uint32_t before = 1000;
  static constexpr std::uint32_t after = 6500;

  // Makes the directory, with so many records in a batch.
  void begin(std::uint32_t per_batch) {
    run_.reset();
    std::filesystem::remove_all(path_);
    run_.emplace(path_, limits_, 1);
    for (std::uint32_t first = 1; first <= before; first += per_batch) {
      run_->events(first, per_batch, 1000);
      run_->second();
    }
  }
  void overtake() {
    run_->events(before + 1, after - before, 1000);
    run_->second();
  }

  // Reads so many batches, up to the end.
  void read(BatchStream& stream, ShowCursor& cursor, Replay& replay, int batches = INT_MAX) {
    std::optional<BatchPlace> place;
    while (batches-- > 0 && !replay.is_done() && (place = stream.next())) {
      cursor.read_batch(stream, *place, replay);
    }
  }

  std::string cursor_file_ = scratch_ + "/cursor";
  std::optional<FakeRun> run_;
};

using OvertakenAt = std::tuple<std::uint32_t, int, bool>;
class OvertakenAtTest : public OvertakenReaderTest,
                        public testing::WithParamInterface<OvertakenAt> {};

// The recorder comes around when so many batches are read again, or between the header of the next
// batch and its payload.
TEST_P(OvertakenAtTest, IsToldOnceHowManyEventsItMissed) {
  auto [per_batch, batches, late] = GetParam();
  begin(per_batch);
  constexpr std::uint32_t read_before = 403;
  {
    BatchStream stream = open_directory(path_);
    ShowCursor cursor(cursor_file_);
    ReplayOptions some = everything();
    some.count = read_before;
    Replay replay(std::move(some), clock_, users_, sink_);
    read(stream, cursor, replay);
    cursor.store();
    ASSERT_EQ(sink_.pids, numbers(1, read_before + 1));
  }
  {
    BatchStream stream = open_directory(path_);
    ShowCursor cursor(cursor_file_);
    CountingSink sink;
    Replay replay(everything(), clock_, users_, sink);
    stream.seek(cursor.resume(stream, path_, replay));
    ASSERT_TRUE(cursor.is_resumed());
    read(stream, cursor, replay, batches);
    std::optional<BatchPlace> next;
    if (late) {
      next = stream.next();
    }
    overtake();
    if (next) {
      cursor.read_batch(stream, *next, replay);
    }
    read(stream, cursor, replay);
    cursor.store();
    ASSERT_EQ(sink.losses.size(), 1U);
    EXPECT_EQ(read_before + sink.pids.size() + sink.losses[0], after);
    EXPECT_EQ(sink.pids.back(), after);
    EXPECT_EQ(replay.missing(), 0U) << "reported as records";
    EXPECT_EQ(stream.damaged(), 0U);
  }
  BatchStream stream = open_directory(path_);
  ShowCursor cursor(cursor_file_);
  CountingSink sink;
  Replay replay(everything(), clock_, users_, sink);
  stream.seek(cursor.resume(stream, path_, replay));
  read(stream, cursor, replay);
  EXPECT_TRUE(sink.pids.empty());
  EXPECT_TRUE(sink.losses.empty()) << "told before";
}

// The position is in the twelfth batch, or the 404th.
INSTANTIATE_TEST_SUITE_P(Batches, OvertakenAtTest,
                         testing::Combine(testing::Values(40, 1),
                                          testing::Values(0, 1, 5, 10, 11, 12, 13, 402, 403, 404,
                                                          405),
                                          testing::Bool()));

TEST_F(OvertakenReaderTest, IsToldIfTheDirectoryBeganAnew) {
  begin(40);
  overtake();
  {
    BatchStream stream = open_directory(path_);
    ShowCursor cursor(cursor_file_);
    Replay replay(everything(), clock_, users_, sink_);
    read(stream, cursor, replay);
    cursor.store();
  }
  BatchStream stream = open_directory(path_);
  ShowCursor cursor(cursor_file_);
  CountingSink sink;
  Replay replay(everything(), clock_, users_, sink);
  stream.seek(cursor.resume(stream, path_, replay));
  for (const auto& file : std::filesystem::directory_iterator(path_)) {
    std::filesystem::resize_file(file, 0);
    std::filesystem::remove(file);
  }
  run_.emplace(path_, limits_, 2);
  run_->events(9001, 10);
  run_->second();
  read(stream, cursor, replay);
  EXPECT_EQ(sink.pids, numbers(9001, 9011));
  EXPECT_EQ(sink.losses, std::vector<std::uint64_t>{0}) << "one record, of unknown count";
}

TEST_F(DirectoryReaderTest, CursorFileIsReplacedAsAWhole) {
  std::string path = scratch_ + "/cursor";
  Cursor cursor{1, 2, {3, 4}, 5, 6};
  {
    CursorFile file(path);
    EXPECT_FALSE(file.stored());
    file.store(cursor);
  }
  EXPECT_EQ(CursorFile(path).stored(), cursor);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  std::ofstream(path, std::ios::trunc) << "something else";
  EXPECT_THROW(CursorFile{path}, Error);
  std::ofstream(path, std::ios::trunc) << "";
  EXPECT_FALSE(CursorFile(path).stored()) << "an empty file has no position";
  EXPECT_THROW(CursorFile(scratch_ + "/none/cursor"), Error);
  // A link stays, and nothing else than a regular file is replaced or waited for.
  std::string link = scratch_ + "/link";
  ASSERT_EQ(::symlink("cursor", link.c_str()), 0);
  CursorFile(link).store(cursor);
  EXPECT_EQ(CursorFile(path).stored(), cursor);
  ASSERT_EQ(::lstat(link.c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  std::string fifo = scratch_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THROW(CursorFile{fifo}, Error);
  EXPECT_THROW(CursorFile("/dev/null"), Error);
}

}  // namespace
}  // namespace bpftrap
