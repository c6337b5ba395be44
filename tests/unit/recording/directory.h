// SPDX-License-Identifier: GPL-2.0-only
// Shared by the tests of directories: recorders whose events the test makes up.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/recording/batch_stream.h"
#include "core/recording/directory.h"
#include "core/trace/recorder.h"
#include "core/trace/replay.h"
#include "unit/recording/sample.h"

namespace bpftrap {

struct FakeBoot {
  std::string id = "boot";
  std::int64_t wall_offset_ns = 1'000'000'000'000;  // wall clock - boot time
};

// One run of a recorder. Its failed execs are numbered, by their pid.
class FakeRun {
 public:
  FakeRun(const std::string& path, const RecordingDirectory::Limits& limits, std::uint64_t run,
          const FakeBoot& boot = {})
      : directory_(std::make_unique<RecordingDirectory>(path, limits)),
        output_(*directory_),
        offset_ns_(boot.wall_offset_ns),
        clock_(TimeSources{&BootClock::now, [this] {
                             return WallTime{BootClock::now().time_since_epoch().count() +
                                             offset_ns_};
                           }}) {
    RecorderOptions options{.host = host_of_sample()};
    options.users = Users("");
    options.directory = directory_.get();
    recorder_.emplace(std::move(options));
    RecordingWriter::Setup setup{output_.buffer(), clock_, run, [] { return false; }};
    setup.file_bytes = directory_->file_bytes();
    setup.file_used = directory_->file_used();
    sink_ = recorder_->begin(setup);
    recorder_->live(BootClock::now());
    sink_->write(StartRecord{BootClock::now(), "here", boot.id, "6.1", "record"});
    second();
  }

  // Failed execs, because they leave no state. Each has so many bytes of arguments.
  void events(std::uint32_t first, std::uint32_t count, std::size_t bytes = 20) {
    std::string args(bytes, '\0');
    for (std::uint32_t i = 0; i < count; ++i) {
      // Folding must not make them small.
      for (char& byte : args) {
        random_ = random_ * 1103515245 + 12345;
        byte = static_cast<char>('a' + (random_ >> 16) % 26);
      }
      args.back() = '\0';
      Bytes exec = wire_exec("/bin/x", "", args, args.size());
      auto* event = reinterpret_cast<bpftrap_exec_event*>(exec.data());
      event->error = 2;
      event->process.pid = first + i;
      event->header.boot_ns =
          static_cast<std::uint64_t>(BootClock::now().time_since_epoch().count());
      recorder_->handle(exec, *sink_);
      if (i % 16 == 15) {
        output_.flush();
      }
    }
    output_.flush();
  }
  // As each second.
  void second() {
    recorder_->account({});
    output_.flush();
  }
  void step_clock(std::int64_t wall_offset_ns) {
    offset_ns_ = wall_offset_ns;
    clock_.reanchor();
  }
  void stop() {
    sink_->write(StopRecord{BootClock::now(), 0, 0});
    sink_->finish();
    output_.flush();
    output_.close();
  }
  RecordingDirectory& directory() { return *directory_; }
  std::uint64_t lost() const { return recorder_->lost_records({}); }

 private:
  std::unique_ptr<RecordingDirectory> directory_;
  Output output_;
  std::int64_t offset_ns_;
  WallClock clock_;
  std::optional<Recorder> recorder_;
  std::unique_ptr<Sink> sink_;
  std::uint32_t random_ = 1;
};

inline BatchStream open_directory(const std::string& path) {
  return {UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), true};
}

// The pids of the failed execs in a batch.
inline void append_pids(BatchStream& stream, const BatchPlace& place,
                        std::vector<std::uint32_t>& pids) {
  if (auto payload = stream.read(place)) {
    for_each_record(*payload, [&pids](std::span<const std::byte> bytes) {
      bpftrap_record_header header;
      bpftrap_exec_event event;
      if (read_wire(bytes, header) && header.kind == BPFTRAP_RECORD_EXEC &&
          read_wire(bytes, event)) {
        pids.push_back(event.process.pid);
      }
      return true;
    });
  }
}

inline std::vector<std::uint32_t> pids_in(BatchStream& stream) {
  std::vector<std::uint32_t> pids;
  while (std::optional<BatchPlace> place = stream.next()) {
    append_pids(stream, *place, pids);
  }
  return pids;
}

inline std::vector<std::uint32_t> numbers(std::uint32_t first, std::uint32_t end) {
  std::vector<std::uint32_t> all;
  for (; first < end; ++first) {
    all.push_back(first);
  }
  return all;
}

class RecordingDirectoryTest : public testing::Test {
 protected:
  RecordingDirectoryTest() {
    std::string name = (std::filesystem::temp_directory_path() / "bpftrap-XXXXXX").string();
    scratch_ = ::mkdtemp(name.data());
    path_ = scratch_ + "/recorder";
  }
  ~RecordingDirectoryTest() override { std::filesystem::remove_all(scratch_); }

  std::vector<std::uint32_t> pids() const {
    BatchStream stream = open_directory(path_);
    std::vector<std::uint32_t> all = pids_in(stream);
    EXPECT_EQ(stream.damaged(), 0U) << stream.first_damage();
    return all;
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      sum += entry.file_size();
    }
    return sum;
  }

  static constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

  std::string scratch_;
  std::string path_;
  RecordingDirectory::Limits limits_{.bytes = 4 * mebibyte};
};

// Counts what a replay writes.
class CountingSink final : public Sink {
 public:
  void write(const RecordView& record) override {
    starts += record.get_if<StartRecord>() != nullptr ? 1 : 0;
    if (const auto* exec = record.get_if<ExecRecord>()) {
      pids.push_back(exec->process.id.pid);
    }
    if (const auto* lost = record.get_if<LostRecord>()) {
      losses.push_back(lost->count);
    }
  }
  int starts = 0;
  std::vector<std::uint32_t> pids;
  std::vector<std::uint64_t> losses;
};

inline ReplayOptions everything() {
  ReplayOptions options;
  options.stream.write_failed_execs = true;
  return options;
}

class DirectoryReaderTest : public RecordingDirectoryTest {
 protected:
  void take(BatchStream& stream, Replay& replay, const BatchPlace& place) {
    replay.begin_batch(place.header);
    if (auto payload = stream.read(place)) {
      for_each_record(*payload, [&replay](std::span<const std::byte> record) {
        replay.take(record);
        return true;
      });
    }
  }
  void take_rest(BatchStream& stream, Replay& replay) {
    while (std::optional<BatchPlace> place = stream.next()) {
      take(stream, replay, *place);
    }
  }

  WallClock clock_ = WallClock::recorded();
  Users users_{""};
  CountingSink sink_;
};

}  // namespace bpftrap
