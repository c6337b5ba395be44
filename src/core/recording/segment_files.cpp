// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/segment_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/os/error.h"
#include "core/recording/reader.h"

namespace bpftrap {

namespace {

constexpr std::string_view suffix = ".bpftrap";

}  // namespace

std::string segment_file_name(unsigned index) {
  return fmt::format("{:03}{}", index, suffix);
}

std::optional<unsigned> segment_file_index(std::string_view name) {
  if (name.size() != 3 + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  unsigned index = 0;
  for (char digit : name.substr(0, 3)) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    index = 10 * index + static_cast<unsigned>(digit - '0');
  }
  return index;
}

std::vector<std::string> names_in(int directory) {
  // Opened anew, because a duplicate would share the position.
  UniqueFd own(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, int (*)(DIR*)> stream(own ? ::fdopendir(own.get()) : nullptr, ::closedir);
  if (!stream) {
    throw Error("cannot list the directory of a recording", errno);
  }
  [[maybe_unused]] int owned_by_stream = own.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  return names;
}

SegmentFile read_segment_file(int fd, std::string name) {
  SegmentFile file{std::move(name)};
  RecordingReader reader(fd);
  file.size = reader.size();
  if (file.size == 0) {
    return file;
  }
  if (std::optional<BatchPlace> place = reader.next()) {
    file.first = place->header;
  }
  return file;
}

std::vector<SegmentFile> list_segment_files(int directory) {
  std::vector<SegmentFile> files;
  for (std::string& name : names_in(directory)) {
    if (!segment_file_index(name)) {
      continue;
    }
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    UniqueFd fd(::openat(directory, name.c_str(), flags));
    if (!fd) {
      if (errno == ENOENT) {
        continue;
      }
      throw Error(fmt::format("cannot read '{}'", name), errno);
    }
    SegmentFile file = read_segment_file(fd.get(), std::move(name));
    if (file.first.file_number != 0) {
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(), [](const SegmentFile& one, const SegmentFile& other) {
    return one.first.file_number < other.first.file_number;
  });
  return files;
}

}  // namespace bpftrap
