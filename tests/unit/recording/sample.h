// SPDX-License-Identifier: GPL-2.0-only
// A small recording, made by the writer or read from its bytes.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/unique_fd.h"
#include "core/recording/reader.h"
#include "core/recording/recorded.h"
#include "core/recording/writer.h"
#include "unit/wire.h"

namespace bpftrap {

// A file in memory with this content.
inline UniqueFd file_with(std::string_view content) {
  UniqueFd file(::memfd_create("recording", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return file;
}

// A clock that stands still, 1000 s ahead of CLOCK_BOOTTIME.
inline WallClock clock_of_sample() {
  WallClock clock = WallClock::recorded();
  clock.restart_with(1'000'000'000'000);
  return clock;
}

inline HostRecord host_of_sample() {
  return {{4096}, 2, 4026531836, true, "machine", "0123-4567", "6.1.0", "0.1.0"};
}

inline std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string cgroup_record() {
  return text_of(wire_cgroup(std::string_view("b\0a\0", 4)));
}

// The records of a recording in which a program was executed and ended.
inline std::vector<std::string> sample_records() {
  BootTime live(std::chrono::seconds(2));
  return {encode(host_of_sample(), live),
          encode(ClockRecord{live, 1'000'000'000'000}),
          encode(RunRecord{live, false, false, "record"}),
          encode(UserRecord{1000, "somebody"}, live),
          cgroup_record(),
          text_of(bytes_of(wire_fork())),
          text_of(wire_exec("/bin/x", "", std::string_view("x\0a b\0", 6), 6)),
          text_of(bytes_of(wire_exit(3 << 8))),
          encode(StopRecord{BootTime(std::chrono::seconds(6)), 3, 0})};
}

// Writes them, in batches of at most so many records.
inline std::string sample_recording(const std::vector<std::string>& records = sample_records(),
                                    std::size_t per_batch = 100, bool compressed = true) {
  std::string out;
  WallClock clock = clock_of_sample();
  RecordingWriter writer({out, clock, 42, [compressed] { return compressed; }});
  std::size_t in_batch = 0;
  for (const std::string& record : records) {
    writer.add(record);
    if (++in_batch == per_batch) {
      writer.close_batch();
      in_batch = 0;
    }
  }
  writer.close_batch();
  return out;
}

// All records that a reader finds.
struct ReadResult {
  std::vector<std::string> records;
  std::uint64_t damaged = 0;
  std::uint64_t torn = 0;
};
inline ReadResult read_recording(std::string_view content) {
  UniqueFd file = file_with(content);
  RecordingReader reader(file.get());
  ReadResult result;
  while (std::optional<BatchPlace> place = reader.next()) {
    if (auto payload = reader.read(*place)) {
      for_each_record(*payload, [&result](std::span<const std::byte> record) {
        result.records.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
        return true;
      });
    }
  }
  result.damaged = reader.damaged();
  result.torn = reader.torn_bytes();
  return result;
}

}  // namespace bpftrap
