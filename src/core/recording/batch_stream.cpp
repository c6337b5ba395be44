// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/batch_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

BatchStream::BatchStream(UniqueFd file, bool is_directory)
    : place_(std::move(file)), is_directory_(is_directory) {
  if (is_directory_) {
    list();
  } else {
    reader_.emplace(place_.get());
  }
}

BatchStream BatchStream::of(int file) {
  UniqueFd copy(::fcntl(file, F_DUPFD_CLOEXEC, 3));
  struct stat status {};
  if (!copy || ::fstat(copy.get(), &status) != 0) {
    throw Error("cannot duplicate a descriptor", errno);
  }
  return {std::move(copy), S_ISDIR(status.st_mode)};
}

BatchStream BatchStream::again() const {
  return of(place_.get());
}

void BatchStream::list() {
  files_ = list_segment_files(place_.get());
}

bool BatchStream::open_from(std::uint32_t number) {
  before_ = 0;
  for (const SegmentFile& file : files_) {
    if (file.first.file_number < number) {
      before_ += file.size;
      continue;
    }
    UniqueFd fd(::openat(place_.get(), file.name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
      continue;  // removed by a restart with a smaller --keep
    }
    file_ = std::move(fd);
    name_ = file.name;
    number_ = file.first.file_number;
    reader_.emplace(file_.get());
    return true;
  }
  return false;
}

bool BatchStream::is_reused() const {
  return is_directory_ && read_segment_file(file_.get(), "").first.file_number != number_;
}

void BatchStream::close_file() {
  if (!reader_) {
    return;
  }
  if (reader_->damaged() > 0 && !is_reused()) {
    first_damage_ = first_damage();
    damaged_ += reader_->damaged();
  }
  reader_.reset();
}

bool BatchStream::is_removed() const {
  struct stat status {};
  return ::fstat(file_.get(), &status) == 0 && status.st_nlink == 0;
}

bool BatchStream::has_later_file() const {
  return !files_.empty() && files_.back().first.file_number > number_;
}

std::optional<BatchPlace> BatchStream::next() {
  if (!is_directory_) {
    return reader_->next();
  }
  if (!reader_ && !open_from(number_)) {
    list();
    if (!open_from(number_)) {
      return std::nullopt;
    }
  }
  for (;;) {
    // A file does not grow any more when there is a later one.
    bool is_complete = has_later_file();
    if (is_complete) {
      reader_->set_complete();
    }
    std::optional<BatchPlace> place = reader_->next();
    if (place && place->header.file_number == number_) {
      return place;
    }
    if (!is_complete) {
      if (!place && !expects_files_ && !is_removed()) {
        return std::nullopt;
      }
      list();
      if (!files_.empty() && files_.back().first.file_number < number_) {
        // Somebody removed the files, and a recorder has begun with the first number.
        close_file();
        number_ = 0;
        if (!open_from(number_)) {
          return std::nullopt;
        }
        continue;
      }
      if (!has_later_file()) {
        return std::nullopt;
      }
      if (!place) {
        continue;
      }
    }
    close_file();
    std::uint32_t later = number_ + 1;
    if (open_from(later)) {
      continue;
    }
    list();  // those that were listed are removed
    if (!open_from(later)) {
      number_ = later;
      return std::nullopt;
    }
  }
}

std::optional<std::span<const std::byte>> BatchStream::read(const BatchPlace& place) {
  std::optional<std::span<const std::byte>> payload = reader_->read(place);
  if (!payload && is_reused()) {
    reader_->forget_last_damage();
  }
  return payload;
}

void BatchStream::seek(BatchPosition position) {
  if (!is_directory_) {
    reader_->seek(position.offset);
    return;
  }
  if (!reader_ || number_ != position.file_number) {
    close_file();
    number_ = position.file_number;
    if (!open_from(number_)) {
      return;
    }
  }
  if (number_ == position.file_number) {
    reader_->seek(position.offset);
  }
}

std::string BatchStream::first_damage() const {
  if (damaged_ > 0) {
    return first_damage_;
  }
  std::string byte = fmt::format("byte {}", reader_ ? reader_->first_damage() : 0);
  return is_directory_ ? fmt::format("{} of {}", byte, name_) : byte;
}

std::uint64_t BatchStream::done() const {
  return before_ + (reader_ ? reader_->position() : 0);
}

std::uint64_t BatchStream::size() const {
  if (!is_directory_) {
    return reader_->size();
  }
  std::uint64_t size = 0;
  for (const SegmentFile& file : files_) {
    size += file.size;
  }
  return size;
}

}  // namespace bpftrap
