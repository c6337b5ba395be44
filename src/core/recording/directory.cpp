// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/os/error.h"
#include "core/recording/crc32c.h"
#include "core/recording/reader.h"
#include "core/recording/segment_files.h"

namespace bpftrap {

namespace {

constexpr std::uint64_t file_least = std::uint64_t{1} << 20;
constexpr std::uint64_t file_usual_most = std::uint64_t{64} << 20;
constexpr unsigned files_usual = 64;
// Batches that wait for room on the disk.
constexpr std::size_t pending_most = std::size_t{8} << 20;

// A file system allocates pages.
std::uint64_t file_size_for(std::uint64_t bytes) {
  std::uint64_t size = std::clamp(bytes / files_usual, file_least, file_usual_most);
  size = std::max(size, bytes / segment_files_most);
  return size / 4096 * 4096;
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// The mode of new files. A group may read them if the directory says so (docs/record.md).
mode_t mode_of_files(const struct stat& directory) {
  return (directory.st_mode & S_ISGID) != 0 && (directory.st_mode & S_IRGRP) != 0 ? 0640 : 0600;
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
  sync_fd_ = files_[current_].fd.get();
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

// Makes the files of an earlier, larger directory fit: removes the oldest.
void RecordingDirectory::fit() {
  std::string current = files_[current_].name;
  std::uint64_t grows = std::max(file_bytes_, files_[current_].size) - files_[current_].size;
  while (used() + grows > bytes_most_ && drop_oldest()) {
  }
  std::vector<File*> sorted;
  for (File& file : files_) {
    sorted.push_back(&file);
  }
  std::sort(sorted.begin(), sorted.end(), [&](const File* one, const File* other) {
    bool one_is_current = one->name == current;
    bool other_is_current = other->name == current;
    return one_is_current != other_is_current ? other_is_current : one->number < other->number;
  });
  std::size_t extra = files_.size() - std::min<std::size_t>(files_.size(), files_most_);
  std::vector<std::string> removed;
  for (std::size_t i = 0; i < extra; ++i) {
    removed.push_back(sorted[i]->name);
    ::unlinkat(directory_.get(), sorted[i]->name.c_str(), 0);
  }
  std::erase_if(files_, [&removed](const File& file) {
    return std::find(removed.begin(), removed.end(), file.name) != removed.end();
  });
  auto found = std::find_if(files_.begin(), files_.end(),
                            [&current](const File& file) { return file.name == current; });
  current_ = static_cast<std::size_t>(found - files_.begin());
}

std::uint64_t RecordingDirectory::file_used() const {
  return files_[current_].number == 0 ? 0 : files_[current_].size;
}

std::uint64_t RecordingDirectory::used() const {
  std::uint64_t bytes = 0;
  for (const File& file : files_) {
    bytes += file.size;
  }
  return bytes;
}

// The oldest file beside the current one. Null if there is none with records.
RecordingDirectory::File* RecordingDirectory::oldest() {
  File* oldest = nullptr;
  for (File& file : files_) {
    bool is_candidate = file.number != 0 && &file != &files_[current_];
    if (is_candidate && (oldest == nullptr || file.number < oldest->number)) {
      oldest = &file;
    }
  }
  return oldest;
}

void RecordingDirectory::drop(File& file) {
  [[maybe_unused]] int ignored = ::ftruncate(file.fd.get(), 0);
  file.number = 0;
  file.size = 0;
}

bool RecordingDirectory::drop_oldest() {
  File* file = oldest();
  if (file == nullptr) {
    return false;
  }
  drop(*file);
  return true;
}

void RecordingDirectory::begin_file(std::int64_t wall_ns) {
  // An empty file, else the oldest one, as long as the sum stays within the limit.
  auto is_empty = [](const File& file) { return file.number == 0; };
  auto next = std::find_if(files_.begin(), files_.end(), is_empty);
  while ((next == files_.end() || used() + file_bytes_ > bytes_most_) && drop_oldest()) {
    next = std::find_if(files_.begin(), files_.end(), is_empty);
  }
  if (next == files_.end()) {
    next = files_.begin() + static_cast<std::ptrdiff_t>(current_);  // there is but one
    drop(*next);
  }
  current_ = static_cast<std::size_t>(next - files_.begin());
  next->number = ++last_number_;
  next->first_wall_ns = wall_ns;
  sync_fd_.store(next->fd.get());
}

bool RecordingDirectory::append(std::string_view bytes) {
  File& file = files_[current_];
  std::size_t done = 0;
  while (done < bytes.size()) {
    // writev(), which the sandbox allows.
    iovec part{const_cast<char*>(bytes.data()) + done, bytes.size() - done};
    ssize_t count = ::writev(file.fd.get(), &part, 1);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      report_full(errno);
      // A batch is in the file as a whole or not at all.
      [[maybe_unused]] int ignored = ::ftruncate(file.fd.get(), static_cast<off_t>(file.size));
      return false;
    }
  }
  file.size += bytes.size();
  return true;
}

void RecordingDirectory::report_full(int err) {
  if (!std::exchange(full_told_, true)) {
    say(Error(fmt::format("cannot write to '{}'", path_), err, "the oldest records are dropped"));
  }
}

bool RecordingDirectory::write_batch(std::size_t at, std::size_t size) {
  RecordingBatch header;
  std::memcpy(&header, pending_.data() + at, sizeof header);
  if (header.file_number == 0) {
    // The batch does not fit if a record is larger than the writer has allowed for.
    bool fits = files_[current_].size + size <= file_bytes_;
    if ((header.flags & batch_begins_file) != 0 || !fits || files_[current_].number == 0) {
      begin_file(header.first_wall_ns);
    }
    header.file_number = files_[current_].number;
    header.header_crc = 0;
    header.header_crc = crc32c(0, std::as_bytes(std::span(&header, 1)));
    std::memcpy(pending_.data() + at, &header, sizeof header);
  }
  std::string_view batch(pending_.data() + at, size);
  if (append(batch)) {
    return true;
  }
  // One file per second, because a file system may take seconds to free its blocks.
  BootTime now = BootClock::now();
  if (now - dropped_at_ < std::chrono::seconds(1) || !drop_oldest()) {
    return false;
  }
  dropped_at_ = now;
  return append(batch);
}

void RecordingDirectory::take(std::string& batches) {
  if (pending_.empty()) {
    pending_.swap(batches);
  } else {
    pending_ += batches;
  }
  batches.clear();
  write_pending();
}

void RecordingDirectory::write_pending() {
  std::size_t at = 0;
  while (at < pending_.size()) {
    RecordingBatch header;
    std::memcpy(&header, pending_.data() + at, sizeof header);
    std::size_t size = sizeof header + header.stored_size;
    if (!write_batch(at, size)) {
      break;
    }
    at += size;
  }
  pending_.erase(0, at);
  if (pending_.size() > pending_most) {
    discard();
  }
}

// Counts the events of all pending batches, instead of writing them.
void RecordingDirectory::discard() {
  RecordingReader decoder(-1);
  for (std::size_t at = 0; at < pending_.size();) {
    RecordingBatch header;
    std::memcpy(&header, pending_.data() + at, sizeof header);
    at += sizeof header;
    if (auto payload = decoder.decode(header, as_bytes(pending_).subspan(at, header.stored_size))) {
      for_each_record(*payload, [this](std::span<const std::byte> record) {
        unwritten_.add(record);
        return true;
      });
    }
    at += header.stored_size;
  }
  pending_.clear();
}

void RecordingDirectory::finish() {
  write_pending();
  discard();
}

void RecordingDirectory::drop_old(WallTime now) {
  write_pending();  // a second later there may be room
  if (!age_) {
    return;
  }
  for (File& file : files_) {
    bool is_current = &file == &files_[current_];
    if (!is_current && file.number != 0 && now.ns - file.first_wall_ns > age_->count()) {
      drop(file);
    }
  }
}

bool RecordingDirectory::wants_new_file(WallTime now) const {
  const File& file = files_[current_];
  std::int64_t parts = std::min<std::int64_t>(16, files_most_ - 1);
  return age_ && file.number != 0 && now.ns - file.first_wall_ns > age_->count() / parts;
}

void RecordingDirectory::sync() {
  int fd = sync_fd_.load();
  if (synced_fd_ != -1 && synced_fd_ != fd) {
    ::fdatasync(synced_fd_);
  }
  ::fdatasync(fd);
  synced_fd_ = fd;
}

}  // namespace bpftrap
