// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/directory.h"

#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/os/error.h"
#include "core/os/file_sync.h"
#include "core/os/full_disk.h"
#include "core/recording/crc32c.h"
#include "core/recording/reader.h"

namespace bpftrap {

namespace {

// Batches that wait for room on the disk.
constexpr std::size_t pending_most = std::size_t{8} << 20;

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

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
}

// Returns 0, or the errno of the failure.
int RecordingDirectory::append(std::string_view bytes) {
  File& file = files_[current_];
  std::size_t done = 0;
  while (done < bytes.size()) {
    // writev(), which the sandbox allows.
    iovec part{const_cast<char*>(bytes.data()) + done, bytes.size() - done};
    ssize_t count = ::writev(file.fd.get(), &part, 1);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      int err = errno;
      // A batch is in the file as a whole or not at all.
      [[maybe_unused]] int ignored = ::ftruncate(file.fd.get(), static_cast<off_t>(file.size));
      return err;
    }
  }
  file.size += bytes.size();
  dirty_[current_].store(true);
  return 0;
}

// Once per failure that lasts.
void RecordingDirectory::report_failure(int err) {
  failed_at_ = BootClock::now();
  if (!std::exchange(failure_told_, true)) {
    say(Error(fmt::format("cannot write to '{}'", path_), err,
              is_full_disk(err) ? "the oldest records are dropped"
                                : "new records wait in memory, and are lost if this lasts"));
  }
}

bool RecordingDirectory::write_batch(std::size_t at, std::size_t size) {
  RecordingBatch header;
  std::memcpy(&header, pending_.data() + at, sizeof header);
  if (header.file_number == 0) {
    const File& file = files_[current_];
    // The batch does not fit if a record is larger than the writer has allowed for.
    bool fits = file.size + size <= file_bytes_;
    bool is_begun = file.number != 0 && file.size == 0;
    bool wants_file = (header.flags & batch_begins_file) != 0 || !fits || file.number == 0;
    if (wants_file && !is_begun) {
      begin_file(header.first_wall_ns);
    }
    header.file_number = files_[current_].number;
    header.header_crc = 0;
    header.header_crc = crc32c(0, std::as_bytes(std::span(&header, 1)));
    std::memcpy(pending_.data() + at, &header, sizeof header);
  }
  std::string_view batch(pending_.data() + at, size);
  int err = append(batch);
  if (err != 0) {
    report_failure(err);
    // One file per second, because a file system may take seconds to free its blocks. Another
    // failure leaves no more room when the history is gone.
    bool may_drop = is_full_disk(err) && failed_at_ - dropped_at_ >= std::chrono::seconds(1);
    if (may_drop && drop_oldest()) {
      dropped_at_ = failed_at_;
      err = append(batch);
    }
  } else if (failure_told_ && BootClock::now() - failed_at_ > std::chrono::minutes(1)) {
    failure_told_ = false;
  }
  return err == 0;
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
  discarded_ = discarded_ || !pending_.empty();
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
  // A disk that takes nothing gets no further states to write either.
  return age_ && pending_.empty() && file.number != 0 &&
         now.ns - file.first_wall_ns > age_->count() / parts;
}

void RecordingDirectory::start_sync() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (dirty_[i].load()) {
      bpftrap::start_sync(files_[i].fd.get());
    }
  }
}

std::size_t RecordingDirectory::sync() {
  std::size_t count = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    // Cleared before, because a batch may follow meanwhile.
    if (dirty_[i].exchange(false)) {
      ::fdatasync(files_[i].fd.get());
      ++count;
    }
  }
  return count;
}

}  // namespace bpftrap
