// SPDX-License-Identifier: GPL-2.0-only
// The directory of a recorder: its bound, its restarts, its faults.
#include "core/recording/directory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <numeric>
#include <system_error>

#include "core/os/error.h"
#include "core/os/unique_fd.h"
#include "unit/recording/directory.h"

namespace bpftrap {
namespace {

TEST_F(RecordingDirectoryTest, NeverExceedsItsBoundAndDropsTheOldest) {
  FakeRun run(path_, limits_, 1);
  std::uint32_t next = 1;
  for (int i = 0; i < 100; ++i) {
    run.events(next, 100, 1000);
    next += 100;
    ASSERT_LE(bytes(), limits_.bytes);
  }
  run.second();
  EXPECT_GT(bytes(), limits_.bytes / 2);
  std::vector<std::uint32_t> kept = pids();
  ASSERT_FALSE(kept.empty());
  EXPECT_GT(kept.front(), 1U);
  EXPECT_EQ(kept, numbers(kept.front(), next)) << "all of the newest, each once";
}

TEST_F(RecordingDirectoryTest, EachFileBeginsASegment) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 10'000, 1000);
  BatchStream stream = open_directory(path_);
  ASSERT_GE(stream.files().size(), 3U);
  for (const SegmentFile& file : stream.files()) {
    EXPECT_EQ(file.first.flags, batch_begins_segment | batch_begins_file) << file.name;
    stream.seek({file.first.file_number, 0});
    std::optional<BatchPlace> place = stream.next();
    ASSERT_TRUE(place);
    std::vector<int> kinds;
    for_each_record(*stream.read(*place), [&kinds](std::span<const std::byte> record) {
      kinds.push_back(static_cast<int>(record[offsetof(bpftrap_record_header, kind)]));
      return true;
    });
    EXPECT_EQ(kinds,
              (std::vector<int>{recorded_host, recorded_clock, recorded_tally, recorded_start}));
  }
}

TEST_F(RecordingDirectoryTest, RestartContinuesBehindTheTornEnd) {
  std::uint64_t used = 0;
  {
    FakeRun run(path_, limits_, 1);
    run.events(1, 50);
    run.second();
    used = run.directory().file_used();
  }
  std::ofstream(path_ + "/000.bpftrap", std::ios::app) << std::string(recording_magic, 8) << "torn";
  {
    FakeRun run(path_, limits_, 2);
    EXPECT_EQ(run.directory().events(), 50U);
    EXPECT_GT(run.directory().file_used(), used) << "the same file";
    run.events(51, 50);
    run.stop();
  }
  EXPECT_EQ(pids(), numbers(1, 101));
}

TEST_F(RecordingDirectoryTest, ASecondRecorderIsRefused) {
  FakeRun run(path_, limits_, 1);
  try {
    RecordingDirectory second(path_, limits_);
    FAIL() << "is accepted";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("another recorder"), std::string::npos) << error.message();
  }
}

TEST_F(RecordingDirectoryTest, DirectoriesOfOthersAreRefused) {
  std::filesystem::create_directory(path_);
  std::ofstream(path_ + "/notes") << "mine";
  EXPECT_THROW(RecordingDirectory(path_, limits_), Error);
  std::filesystem::remove(path_ + "/notes");
  ::chmod(path_.c_str(), 0777);
  EXPECT_THROW(RecordingDirectory(path_, limits_), Error);
  ::chmod(path_.c_str(), 0700);
  std::filesystem::create_symlink("/etc/passwd", path_ + "/000.bpftrap");
  EXPECT_THROW(RecordingDirectory(path_, limits_), Error);
  std::filesystem::remove(path_ + "/000.bpftrap");
  EXPECT_NO_THROW(RecordingDirectory(path_, limits_));
}

TEST_F(RecordingDirectoryTest, TheGroupOfTheDirectoryDecidesWhoReads) {
  auto mode = [this] {
    struct stat status {};
    ::stat((path_ + "/000.bpftrap").c_str(), &status);
    return status.st_mode & 0777;
  };
  mode_t mask = ::umask(077);
  { RecordingDirectory directory(path_, limits_); }
  EXPECT_EQ(mode(), 0600U);
  std::filesystem::remove_all(path_);
  std::filesystem::create_directory(path_);
  ::chmod(path_.c_str(), 02750);
  { RecordingDirectory directory(path_, limits_); }
  ::umask(mask);
  EXPECT_EQ(mode(), 0640U);
}

TEST_F(RecordingDirectoryTest, ASmallerLimitDropsTheOldest) {
  {
    FakeRun run(path_, {.bytes = 16 * mebibyte}, 1);
    run.events(1, 10'000, 1000);
    run.second();
  }
  ASSERT_GT(bytes(), limits_.bytes);
  FakeRun run(path_, limits_, 2);
  EXPECT_LE(bytes(), limits_.bytes);
  run.events(10'001, 1000, 1000);
  run.second();
  EXPECT_LE(bytes(), limits_.bytes);
  std::vector<std::uint32_t> kept = pids();
  EXPECT_EQ(kept, numbers(kept.front(), 11'001));
}

TEST_F(RecordingDirectoryTest, RecordsThatAreTooOldAreDropped) {
  limits_.age = std::chrono::hours(1);
  FakeRun run(path_, limits_, 1);
  run.events(1, 10);
  run.second();
  std::int64_t offset = FakeBoot{}.wall_offset_ns;
  std::int64_t minute = 60'000'000'000;
  run.step_clock(offset + 40 * minute);
  run.second();  // a file has a third of the time at most
  run.events(11, 10);
  run.second();
  EXPECT_EQ(pids(), numbers(1, 21));
  run.step_clock(offset + 61 * minute);
  run.second();
  EXPECT_EQ(pids(), numbers(11, 21));
  run.step_clock(offset + 200 * minute);
  run.second();
  run.second();
  EXPECT_EQ(pids(), numbers(1, 1));
}

TEST_F(RecordingDirectoryTest, FilesOfOthersAreRefusedAndStayAsTheyAre) {
  std::filesystem::create_directory(path_);
  std::string torn = sample_recording().substr(0, 60);
  for (const std::string& content :
       {sample_recording(), "damage" + sample_recording(), std::string("notes"),
        std::string("no recording, however long it is")}) {
    std::ofstream(path_ + "/000.bpftrap") << torn;
    std::ofstream(path_ + "/001.bpftrap") << content;
    EXPECT_THROW(RecordingDirectory(path_, limits_), Error);
    std::ifstream file(path_ + "/001.bpftrap");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), content);
  }
  for (std::size_t size : {1, 8, 60}) {
    std::ofstream(path_ + "/001.bpftrap") << torn.substr(0, size);
    EXPECT_NO_THROW(RecordingDirectory(path_, limits_)) << size;
    EXPECT_EQ(bytes(), 0U);
  }
  // As a file system shows a file whose data was not on the disk before a power failure.
  std::filesystem::resize_file(path_ + "/001.bpftrap", 200'000);
  EXPECT_NO_THROW(RecordingDirectory(path_, limits_));
  EXPECT_EQ(bytes(), 0U);
  std::filesystem::resize_file(path_ + "/001.bpftrap", 200'000);
  std::ofstream(path_ + "/001.bpftrap", std::ios::app) << "notes";
  EXPECT_THROW(RecordingDirectory(path_, limits_), Error);
}

TEST_F(RecordingDirectoryTest, ATooLargeNewestFileIsNotContinued) {
  std::uint32_t next = 1;
  {
    FakeRun run(path_, {.bytes = 256 * mebibyte}, 1);
    while (run.directory().file_used() < 7 * mebibyte / 2) {
      run.events(next, 100, 1000);
      next += 100;
    }
    run.second();
  }
  ASSERT_EQ(open_directory(path_).files().size(), 1U);
  FakeRun run(path_, limits_, 2);
  std::uint32_t end = next;
  for (int i = 0; i < 40; ++i) {
    run.events(end, 100, 1000);
    end += 100;
    run.second();
    ASSERT_LE(bytes(), limits_.bytes);
  }
  std::vector<std::uint32_t> kept = pids();
  ASSERT_FALSE(kept.empty());
  EXPECT_EQ(kept, numbers(kept.front(), end));
}

TEST_F(RecordingDirectoryTest, EveryChangedFileIsWrittenToItsDisk) {
  FakeRun run(path_, limits_, 1);
  run.directory().sync();
  EXPECT_EQ(run.directory().sync(), 0U) << "nothing has changed";
  run.events(1, 2500, 1000);
  ASSERT_EQ(open_directory(path_).files().size(), 3U);
  EXPECT_EQ(run.directory().sync(), 3U);
  EXPECT_EQ(run.directory().sync(), 0U);
}

// Descriptors of the recorder do not allow writing meanwhile, so that it fails with EBADF. That of
// the oldest file stays as it is, because it must not be emptied.
TEST_F(RecordingDirectoryTest, OtherErrorsKeepTheHistory) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 1500, 1000);
  run.second();
  std::vector<std::uint32_t> before = pids();
  std::vector<std::pair<int, UniqueFd>> writable;
  for (int fd = 3; fd < 256; ++fd) {
    std::error_code error;
    std::string link = "/proc/self/fd/" + std::to_string(fd);
    std::string name = std::filesystem::read_symlink(link, error).string();
    if (name.starts_with(path_ + "/") && !name.ends_with("/000.bpftrap")) {
      UniqueFd read_only(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
      writable.emplace_back(fd, UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 256)));
      ::dup3(read_only.get(), fd, O_CLOEXEC);
    }
  }
  std::uint32_t next = 1501;
  for (; run.lost() == 0; next += 16) {
    ASSERT_LT(next, 100'000U) << "memory is bounded";
    run.events(next, 16, 1000);
  }
  EXPECT_EQ(pids(), before);
  for (const auto& [fd, file] : writable) {
    ::dup3(file.get(), fd, O_CLOEXEC);
  }
  run.second();
  run.events(next, 10);
  run.second();
  BatchStream stream = open_directory(path_);
  RecordingBatch last{};
  std::vector<std::uint32_t> pids;
  while (std::optional<BatchPlace> place = stream.next()) {
    last = (place->header.flags & batch_begins_segment) != 0 ? place->header : last;
    append_pids(stream, *place, pids);
  }
  EXPECT_EQ(pids.size() + run.lost(), next + 9);
  EXPECT_GT(last.sequence, 0U);
  EXPECT_EQ(last.flags, batch_begins_segment | batch_begins_file)
      << "what follows can be read without what is lost";
}

// EFBIG is as good as ENOSPC.
TEST_F(RecordingDirectoryTest, FullDiskDropsTheOldestThenCountsLosses) {
  FakeRun run(path_, limits_, 1);
  run.events(1, 1500, 1000);  // two files
  run.second();
  auto former = std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  ::getrlimit(RLIMIT_FSIZE, &usual);
  rlimit tight = usual;
  tight.rlim_cur = 4096;
  ::setrlimit(RLIMIT_FSIZE, &tight);
  run.events(1501, 10'000, 1000);
  run.second();
  ::setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, former);
  std::uint64_t lost = run.lost();
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, 10'000U) << "some wait in memory";
  run.events(11'501, 100);
  run.second();
  run.second();
  run.stop();
  std::vector<std::uint32_t> kept = pids();
  EXPECT_EQ(kept.back(), 11'600U);
  std::uint64_t told = 0;
  BatchStream stream = open_directory(path_);
  while (std::optional<BatchPlace> place = stream.next()) {
    for_each_record(*stream.read(*place), [&told](std::span<const std::byte> bytes) {
      Recorded record = decode_recorded(bytes, Machine{});
      if (const auto* loss = std::get_if<LossRecord>(&record)) {
        told += events_of(loss->lost);
      }
      return true;
    });
  }
  EXPECT_EQ(told, lost);
}

}  // namespace
}  // namespace bpftrap
