// SPDX-License-Identifier: GPL-2.0-only
// Reads the batches of a recording. The file may be damaged, hostile, or still growing: every
// length is checked, and memory does not depend on its content.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/recording/deflate.h"
#include "core/recording/fold.h"
#include "core/recording/format.h"

namespace bpftrap {

// A batch whose header is intact.
struct BatchPlace {
  RecordingBatch header{};
  std::uint64_t position = 0;  // of the header in the file

  std::uint64_t end() const { return position + header.header_size + header.stored_size; }
};

// A place in a recording, which may have several files.
struct BatchPosition {
  std::uint32_t file_number = 0;  // RecordingBatch::file_number
  std::uint64_t offset = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): there is no 0 that clang-tidy 14 could mean
  friend auto operator<=>(const BatchPosition&, const BatchPosition&) = default;
};

inline BatchPosition position_of(const BatchPlace& place) {
  return {place.header.file_number, place.position};
}

// Calls `use` for each record of a payload, as long as `use` returns true. Returns false if the
// payload is malformed.
template <class Use>
bool for_each_record(std::span<const std::byte> payload, Use&& use) {
  while (!payload.empty()) {
    std::uint32_t size = 0;
    if (payload.size() < sizeof size) {
      return false;
    }
    std::memcpy(&size, payload.data(), sizeof size);
    payload = payload.subspan(sizeof size);
    if (size > payload.size()) {
      return false;
    }
    if (!use(payload.first(size))) {
      return true;
    }
    payload = payload.subspan(size);
  }
  return true;
}

class RecordingReader {
 public:
  // `fd` stays the caller's, and must allow pread().
  explicit RecordingReader(int fd) : fd_(fd) {}

  // Goes to the next batch, past damaged bytes. Returns nullopt at the end of what is complete; a
  // later call continues if the file has grown. Throws Error if the file cannot be read, or if a
  // newer bpftrap has made it.
  std::optional<BatchPlace> next();
  // The next call of next() looks here, where a batch begins.
  void seek(std::uint64_t position) { position_ = position; }

  // The file does not grow any more, unless it is used again: its size need not be asked for.
  void set_complete() { final_size_ = final_size_ != 0 ? final_size_ : size(); }

  // Returns the records of a batch. Nullopt if they are damaged, which is counted. The bytes are
  // valid until the next call of any function.
  std::optional<std::span<const std::byte>> read(const BatchPlace& place);

  // The same for the stored bytes of a batch in memory.
  std::optional<std::span<const std::byte>> decode(const RecordingBatch& header,
                                                   std::span<const std::byte> stored) {
    stored_.assign(stored.begin(), stored.end());
    return decompress(header);
  }

  // Damaged places so far, and where the first one is.
  std::uint64_t damaged() const { return damaged_; }
  std::uint64_t first_damage() const { return first_damage_; }
  void forget_last_damage() { --damaged_; }
  // Incomplete bytes at the end of the file, and where they begin.
  std::uint64_t torn_bytes();
  std::uint64_t position() const { return position_; }
  std::uint64_t size() const;
  int fd() const { return fd_; }

 private:
  static constexpr std::size_t ahead_most = 16384;
  enum class Look { intact, none, incomplete };

  std::uint64_t known_size() const { return final_size_ != 0 ? final_size_ : size(); }
  std::size_t read_at(std::uint64_t position, std::span<std::byte> to) const;
  Look look(BatchPlace& place) const;
  // True if the bytes of a header at the position were read ahead.
  bool is_ahead(std::uint64_t position) const {
    return position >= ahead_position_ &&
           position - ahead_position_ + sizeof(RecordingBatch) <= ahead_.size();
  }
  bool look_ahead(BatchPlace& place) const;
  void read_ahead();
  // The next position, from this one on, with the magic bytes.
  std::optional<std::uint64_t> find_magic(std::uint64_t from) const;
  void count_damage(std::uint64_t position);
  // Returns the payload of the batch whose bytes are in `stored_`. Nullopt if it is damaged.
  std::optional<std::span<const std::byte>> decompress(const RecordingBatch& header);

  int fd_ = -1;
  std::uint64_t position_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t first_damage_ = 0;
  std::uint64_t final_size_ = 0;  // of a complete file
  bool is_small_ = false;         // the last batch
  std::vector<std::byte> ahead_;
  std::uint64_t ahead_position_ = 0;
  std::uint64_t ahead_size_ = 0;  // of the file
  Inflater inflater_;
  std::vector<std::byte> stored_;
  std::vector<std::byte> inflated_;
  Unfolder unfolder_;
  std::vector<std::byte> unfolded_;
};

}  // namespace bpftrap
