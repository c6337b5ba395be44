// SPDX-License-Identifier: GPL-2.0-only
// How a recorder opens its directory: which files it takes over, drops and continues.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/os/error.h"
#include "core/recording/directory.h"
#include "core/recording/reader.h"
#include "core/recording/segment_files.h"

namespace bpftrap {

namespace {

constexpr std::uint64_t file_least = std::uint64_t{1} << 20;
constexpr std::uint64_t file_usual_most = std::uint64_t{64} << 20;
constexpr unsigned files_usual = 64;

// A file system allocates pages.
std::uint64_t file_size_for(std::uint64_t bytes) {
  std::uint64_t size = std::clamp(bytes / files_usual, file_least, file_usual_most);
  size = std::max(size, bytes / segment_files_most);
  return size / 4096 * 4096;
}

// The mode of new files. A group may read them if the directory says so (docs/record.md).
mode_t mode_of_files(const struct stat& directory) {
  return (directory.st_mode & S_ISGID) != 0 && (directory.st_mode & S_IRGRP) != 0 ? 0640 : 0600;
}

// After a power failure, a file system may show NUL bytes where data was not on the disk yet.
bool is_all_zero(int fd) {
  std::vector<char> part(std::size_t{64} << 10);
  std::uint64_t offset = 0;
  ssize_t size = 0;
  while ((size = ::pread(fd, part.data(), part.size(), static_cast<off_t>(offset))) > 0) {
    if (std::any_of(part.begin(), part.begin() + size, [](char c) { return c != 0; })) {
      return false;
    }
    offset += static_cast<std::uint64_t>(size);
  }
  return size == 0;
}

// True if the file has the incomplete first batch of a recorder that was killed. Any other content
// belongs to somebody else.
bool is_torn(int fd, const SegmentFile& content) {
  std::array<char, sizeof recording_magic> begin{};
  ssize_t size = ::pread(fd, begin.data(), begin.size(), 0);
  bool has_batch = content.first.header_size != 0;
  return !has_batch && size > 0 &&
         (std::memcmp(begin.data(), recording_magic, static_cast<std::size_t>(size)) == 0 ||
          is_all_zero(fd));
}

}  // namespace

RecordingDirectory::RecordingDirectory(const std::string& path, const Limits& limits)
    : path_(path),
      bytes_most_(limits.bytes),
      age_(limits.age),
      file_bytes_(file_size_for(limits.bytes)),
      files_most_(static_cast<unsigned>(limits.bytes / file_bytes_)) {
  open_directory(path);
  open_files();
  continue_newest();
  fit();
  dirty_ = std::make_unique<std::atomic<bool>[]>(files_.size());
}

void RecordingDirectory::open_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error(fmt::format("cannot create '{}' (--dir)", path), errno);
  }
  directory_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!directory_ || ::fstat(directory_.get(), &status) != 0) {
    throw Error(fmt::format("cannot write to '{}' (--dir)", path), errno);
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      (status.st_uid != 0 && status.st_uid != ::geteuid())) {
    throw Error(fmt::format("refuse to write to '{}' (--dir)", path), 0,
                "other users may write to it: name a new directory");
  }
  if (::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(
        fmt::format("cannot write to '{}' (--dir)", path), errno == EWOULDBLOCK ? 0 : errno,
        errno == EWOULDBLOCK ? "another recorder does: stop it, or name another directory" : "");
  }
}

void RecordingDirectory::add_file(const std::string& name, int flags) {
  struct stat status {};
  ::fstat(directory_.get(), &status);
  mode_t mode = mode_of_files(status);
  File file{
      UniqueFd(::openat(directory_.get(), name.c_str(),
                        O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, mode)),
      name};
  // By fchmod(), too, because a umask must not decide who reads.
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0 ||
      (flags != 0 && ::fchmod(file.fd.get(), mode) != 0)) {
    throw Error(fmt::format("cannot write to '{}/{}'", path_, name), errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(fmt::format("refuse to write to '{}/{}'", path_, name), 0, "it is no regular file");
  }
  SegmentFile content = read_segment_file(file.fd.get(), name);
  file.number = content.first.file_number;
  file.first_wall_ns = content.first.first_wall_ns;
  file.size = content.size;
  if (file.number == 0 && file.size != 0) {
    if (!is_torn(file.fd.get(), content)) {
      throw Error(fmt::format("refuse to write to '{}/{}'", path_, name), 0,
                  "it was not written by record --dir: name a new directory");
    }
    drop(file);
  }
  last_number_ = std::max(last_number_, file.number);
  files_.push_back(std::move(file));
}

void RecordingDirectory::open_files() {
  std::vector<std::string> names = names_in(directory_.get());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (segment_file_index(name)) {
      add_file(name, 0);
    } else if (name != "lost+found") {
      throw Error(fmt::format("refuse to write to '{}' (--dir)", path_), 0,
                  fmt::format("it has other files, such as '{}': name a new directory", name));
    }
  }
  for (unsigned index = 0; files_.size() < files_most_; ++index) {
    std::string name = segment_file_name(index);
    if (!std::binary_search(names.begin(), names.end(), name)) {
      add_file(name, O_CREAT | O_EXCL);
    }
  }
  // The names outlive a crash of the machine.
  ::fsync(directory_.get());
}

// Finds the newest file, removes the batch that a crash left incomplete, and counts events.
void RecordingDirectory::continue_newest() {
  auto newest = std::max_element(
      files_.begin(), files_.end(),
      [](const File& one, const File& other) { return one.number < other.number; });
  current_ = static_cast<std::size_t>(newest - files_.begin());
  if (newest->number == 0) {
    return;
  }
  RecordingReader reader(newest->fd.get());
  std::uint64_t segment = 0;
  while (std::optional<BatchPlace> place = reader.next()) {
    if ((place->header.flags & batch_begins_segment) != 0) {
      segment = place->position;
    }
  }
  newest->size = reader.position();
  if (::ftruncate(newest->fd.get(), static_cast<off_t>(newest->size)) != 0) {
    throw Error(fmt::format("cannot write to '{}/{}'", path_, newest->name), errno);
  }
  EventCount count;
  reader.seek(segment);
  while (std::optional<BatchPlace> place = reader.next()) {
    if (auto payload = reader.read(*place)) {
      for_each_record(*payload, [&count](std::span<const std::byte> record) {
        count.add(record);
        return true;
      });
    }
  }
  events_ = count.all_events;
  lost_ = count.all_lost;
}

// Makes the files of an earlier, larger directory fit: removes the oldest. The newest one is among
// them if it is too large to be continued.
void RecordingDirectory::fit() {
  bool continues = files_[current_].size <= file_bytes_;
  std::string current = files_[current_].name;
  std::vector<File*> filled;
  for (File& file : files_) {
    if (file.number != 0 && !(continues && file.name == current)) {
      filled.push_back(&file);
    }
  }
  std::sort(filled.begin(), filled.end(),
            [](const File* one, const File* other) { return one->number < other->number; });
  std::uint64_t grows = file_bytes_ - (continues ? files_[current_].size : 0);
  std::size_t left = filled.size();
  for (File* file : filled) {
    if (left < files_most_ && used() + grows <= bytes_most_) {
      break;
    }
    drop(*file);
    --left;
  }
  auto is_empty = [](const File& file) { return file.number == 0; };
  if (!continues) {
    current = std::find_if(files_.begin(), files_.end(), is_empty)->name;
  }
  std::size_t extra = files_.size() - std::min<std::size_t>(files_.size(), files_most_);
  std::erase_if(files_, [&](const File& file) {
    if (extra == 0 || !is_empty(file) || file.name == current) {
      return false;
    }
    --extra;
    return ::unlinkat(directory_.get(), file.name.c_str(), 0) == 0;
  });
  auto found = std::find_if(files_.begin(), files_.end(),
                            [&current](const File& file) { return file.name == current; });
  current_ = static_cast<std::size_t>(found - files_.begin());
}

}  // namespace bpftrap
