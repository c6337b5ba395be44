// SPDX-License-Identifier: GPL-2.0-only
// The directory into which `record --dir` writes: a fixed set of files, used in a circle. All of
// them are open before the recorder is confined. docs/recording.md describes the directory.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/record.h"
#include "core/os/clock.h"
#include "core/os/unique_fd.h"
#include "core/output/output.h"
#include "core/recording/event_count.h"
#include "core/recording/format.h"

namespace bpftrap {

class RecordingDirectory final : public ByteStore {
 public:
  static constexpr std::uint64_t bytes_least = std::uint64_t{4} << 20;

  struct Limits {
    std::uint64_t bytes = std::uint64_t{1} << 30;
    std::optional<std::chrono::nanoseconds> age = {};  // of a record
  };

  // Creates the directory if it is missing, locks it against other recorders, and continues what is
  // in it. Throws Error.
  RecordingDirectory(const std::string& path, const Limits& limits);

  // The maximum size of a file, and the bytes of the one that this run continues.
  std::uint64_t file_bytes() const { return file_bytes_; }
  std::uint64_t file_used() const;
  // Events in the directory before this run, with those that were dropped.
  std::uint64_t events() const { return events_; }
  // Losses likewise.
  std::uint64_t lost() const { return lost_; }

  // Writes batches. Never fails: on a full disk it drops the oldest file, at most one per second.
  // It keeps batches that cannot be written in memory for a while, and then counts losses.
  void take(std::string& batches) override;
  int fd() const override { return directory_.get(); }
  void finish() override;

  // Empties the files whose first record is too old.
  void drop_old(WallTime now);
  // True if the current file has records of so long a time that the next ones need another, because
  // records grow too old by files.
  bool wants_new_file(WallTime now) const;

  // Events, and earlier losses, that found no room on the disk.
  const EventCount& unwritten() const { return unwritten_; }

  // True if batches were discarded since the last call: a new file must follow.
  bool take_discarded() { return std::exchange(discarded_, false); }

  // Writes the files that have changed since the last call to their disk, and returns how many they
  // are. Another thread may call it.
  std::size_t sync();
  // Begins to. Any thread may call it.
  void start_sync();

 private:
  struct File {
    UniqueFd fd;
    std::string name = {};
    std::uint32_t number = 0;  // 0: empty
    std::uint64_t size = 0;
    std::int64_t first_wall_ns = 0;
  };

  void open_directory(const std::string& path);
  void open_files();
  void add_file(const std::string& name, int flags);
  void fit();
  void continue_newest();
  File* oldest();
  bool drop_oldest();
  void drop(File& file);
  std::uint64_t used() const;
  void begin_file(std::int64_t wall_ns);
  bool write_batch(std::size_t at, std::size_t size);
  int append(std::string_view bytes);
  void write_pending();
  void discard();
  void report_failure(int err);

  std::string path_;
  std::uint64_t bytes_most_;
  std::optional<std::chrono::nanoseconds> age_;
  std::uint64_t file_bytes_ = 0;
  unsigned files_most_ = 0;
  UniqueFd directory_;
  std::vector<File> files_;
  std::size_t current_ = 0;
  std::uint32_t last_number_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t lost_ = 0;
  std::string pending_;
  EventCount unwritten_;
  BootTime dropped_at_;  // for want of room
  BootTime failed_at_;
  bool failure_told_ = false;
  bool discarded_ = false;
  std::unique_ptr<std::atomic<bool>[]> dirty_;  // by file: to be written to the disk
};

}  // namespace bpftrap
