// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/os/error.h"
#include "core/recording/crc32c.h"

namespace bpftrap {

namespace {

constexpr std::string_view magic(recording_magic, sizeof recording_magic);

bool has_valid_sizes(const RecordingBatch& header) {
  return header.header_size >= sizeof header && header.header_size <= batch_header_most &&
         header.raw_size <= batch_raw_most && header.stored_size <= batch_raw_most &&
         (header.codec & ~(codec_deflate | codec_fold)) == 0 &&
         (header.codec != codec_raw || header.stored_size == header.raw_size);
}

// The size of the payload before it was deflated. Removes it from the front of a folded payload.
std::optional<std::size_t> size_before_deflate(const RecordingBatch& header,
                                               std::span<const std::byte>& payload) {
  std::uint32_t size = header.raw_size;
  if ((header.codec & codec_fold) != 0) {
    if (payload.size() < sizeof size) {
      return std::nullopt;
    }
    std::memcpy(&size, payload.data(), sizeof size);
    payload = payload.subspan(sizeof size);
  }
  return size <= batch_raw_most ? std::optional<std::size_t>(size) : std::nullopt;
}

// `bytes` is the whole header, longer than the struct if a newer bpftrap has appended members.
bool has_valid_checksum(std::span<std::byte> bytes, std::uint32_t expected) {
  std::fill_n(bytes.begin() + offsetof(RecordingBatch, header_crc), sizeof expected, std::byte{0});
  return crc32c(0, bytes) == expected;
}

}  // namespace

std::size_t RecordingReader::read_at(std::uint64_t position, std::span<std::byte> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    ssize_t count =
        ::pread(fd_, to.data() + done, to.size() - done, static_cast<off_t>(position + done));
    if (count < 0 && errno != EINTR) {
      throw Error("cannot read the recording", errno);
    }
    if (count == 0) {
      break;
    }
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  return done;
}

std::uint64_t RecordingReader::size() const {
  // lseek(), because the C library's fstat() is another system call than the sandbox allows.
  off_t size = ::lseek(fd_, 0, SEEK_END);
  if (size < 0) {
    throw Error("cannot read the recording", errno);
  }
  return static_cast<std::uint64_t>(size);
}

// Looks for an intact batch at place.position in the bytes that were read ahead.
bool RecordingReader::look_ahead(BatchPlace& place) const {
  std::array<std::byte, sizeof place.header> bytes;
  if (!is_ahead(place.position)) {
    return false;
  }
  std::memcpy(bytes.data(), ahead_.data() + (place.position - ahead_position_), bytes.size());
  std::memcpy(&place.header, bytes.data(), sizeof place.header);
  return std::memcmp(bytes.data(), magic.data(), magic.size()) == 0 &&
         place.header.version == recording_version && place.header.header_size == bytes.size() &&
         has_valid_sizes(place.header) && has_valid_checksum(bytes, place.header.header_crc) &&
         place.end() <= ahead_size_;
}

// Gets many headers by one call, which matters if batches are small.
void RecordingReader::read_ahead() {
  // Before the bytes, because a batch within this size does not change any more.
  ahead_size_ = known_size();
  ahead_position_ = position_;
  ahead_.resize(ahead_most);
  ahead_.resize(read_at(position_, ahead_));
}

// Looks for an intact batch at place.position.
RecordingReader::Look RecordingReader::look(BatchPlace& place) const {
  std::array<std::byte, batch_header_most> bytes;
  std::size_t count = read_at(place.position, std::span(bytes).first(sizeof place.header));
  std::size_t compared = std::min(count, magic.size());
  if (std::memcmp(bytes.data(), magic.data(), compared) != 0) {
    return Look::none;
  }
  if (count < sizeof place.header) {
    return Look::incomplete;
  }
  std::memcpy(&place.header, bytes.data(), sizeof place.header);
  if (!has_valid_sizes(place.header) && place.header.version == recording_version) {
    return Look::none;
  }
  std::size_t size = place.header.header_size;
  if (size < sizeof place.header || size > batch_header_most) {
    return Look::none;
  }
  std::size_t rest = size - sizeof place.header;
  if (read_at(place.position + count, std::span(bytes).subspan(count, rest)) < rest) {
    return Look::incomplete;
  }
  if (!has_valid_checksum(std::span(bytes).first(size), place.header.header_crc)) {
    return Look::none;
  }
  if (place.header.version != recording_version) {
    throw Error(fmt::format("cannot read format {} of the recording", place.header.version), 0,
                "use the bpftrap that made it, or a newer one");
  }
  return place.end() <= known_size() ? Look::intact : Look::incomplete;
}

std::optional<std::uint64_t> RecordingReader::find_magic(std::uint64_t from) const {
  std::array<std::byte, 16384> block;
  for (;;) {
    std::size_t count = read_at(from, block);
    std::string_view text(reinterpret_cast<const char*>(block.data()), count);
    if (std::size_t found = text.find(magic); found != std::string_view::npos) {
      return from + found;
    }
    if (count < block.size()) {
      return std::nullopt;
    }
    from += count - (magic.size() - 1);
  }
}

void RecordingReader::count_damage(std::uint64_t position) {
  first_damage_ = damaged_ == 0 ? position : first_damage_;
  ++damaged_;
}

std::optional<BatchPlace> RecordingReader::next() {
  std::uint64_t begin = position_;
  BatchPlace place{.position = begin};
  if (is_small_ && !is_ahead(begin)) {
    read_ahead();
  }
  while (!look_ahead(place) && look(place) != Look::intact) {
    std::optional<std::uint64_t> found = find_magic(place.position + 1);
    if (!found) {
      return std::nullopt;  // position_ stays, in case the file grows
    }
    // The recorder may have appended this batch and the found one since the first look.
    if (look(place) == Look::intact) {
      break;
    }
    place.position = *found;
  }
  if (place.position != begin) {
    count_damage(begin);
  }
  position_ = place.end();
  is_small_ = position_ - place.position <= ahead_most / 8;
  return place;
}

std::uint64_t RecordingReader::torn_bytes() {
  std::uint64_t end = size();
  return end > position_ ? end - position_ : 0;
}

std::optional<std::span<const std::byte>> RecordingReader::read(const BatchPlace& place) {
  const RecordingBatch& header = place.header;
  stored_.resize(header.stored_size);
  bool whole = read_at(place.position + header.header_size, stored_) == stored_.size();
  if (!whole || crc32c(0, stored_) != header.payload_crc) {
    count_damage(place.position);
    return std::nullopt;
  }
  std::optional<std::span<const std::byte>> payload = decompress(header);
  if (!payload) {
    count_damage(place.position);
  }
  return payload;
}

std::optional<std::span<const std::byte>> RecordingReader::decompress(
    const RecordingBatch& header) {
  std::span<const std::byte> payload = stored_;
  if ((header.codec & codec_deflate) != 0) {
    std::optional<std::size_t> size = size_before_deflate(header, payload);
    inflated_.resize(size.value_or(0));
    if (!size || !inflater_.inflate(payload, inflated_)) {
      return std::nullopt;
    }
    payload = inflated_;
  }
  if ((header.codec & codec_fold) != 0) {
    unfolded_.resize(header.raw_size);
    if (!unfolder_.unfold(payload, unfolded_)) {
      return std::nullopt;
    }
    payload = unfolded_;
  }
  return payload;
}

}  // namespace bpftrap
