// SPDX-License-Identifier: GPL-2.0-only
// The files of a directory into which `record --dir` writes: 000.bpftrap, 001.bpftrap, … The number
// in the header of their batches tells their order; the name does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/unique_fd.h"
#include "core/recording/format.h"

namespace bpftrap {

// More files would cost descriptors, and time of every reader.
inline constexpr unsigned segment_files_most = 256;

std::string segment_file_name(unsigned index);
// The index in a name. Nullopt if it is the name of another file.
std::optional<unsigned> segment_file_index(std::string_view name);

struct SegmentFile {
  std::string name;
  std::uint64_t size = 0;
  RecordingBatch first{};  // the first batch that is intact; its file_number is 0 if there is none
};

// Reads the first header of the open file. Throws Error.
SegmentFile read_segment_file(int fd, std::string name);

// The files that have batches, the oldest first. Throws Error.
std::vector<SegmentFile> list_segment_files(int directory);

// The names in a directory, without `.` and `..`. Throws Error.
std::vector<std::string> names_in(int directory);

}  // namespace bpftrap
