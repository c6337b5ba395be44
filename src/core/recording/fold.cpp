// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/fold.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace bpftrap {

namespace {

using Bytes = std::span<const std::byte>;

std::byte* put_number(std::byte* to, std::size_t number) {
  for (; number >= 0x80; number >>= 7) {
    *to++ = static_cast<std::byte>(0x80 | (number & 0x7f));
  }
  *to++ = static_cast<std::byte>(number);
  return to;
}

// Writes the words that differ from the prediction, and marks them in the mask.
class WordWriter {
 public:
  WordWriter(std::byte* mask, std::size_t words)
      : mask_(mask), to_(std::fill_n(mask, mask_size(words), std::byte{0})) {}

  void put(const std::byte* record, const std::uint64_t* predicted, std::size_t first,
           std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
      std::uint64_t change = load_word(record + i * word_size) ^ *predicted++;
      if (change == 0) {
        continue;
      }
      mask_[(i - 1) / 8] |= std::byte{1} << ((i - 1) % 8);
      auto low = static_cast<unsigned>(std::countr_zero(change)) / 8;
      unsigned count = word_size - static_cast<unsigned>(std::countl_zero(change)) / 8 - low;
      *to_++ = static_cast<std::byte>(8 * low + count - 1);
      change >>= 8 * low;
      std::memcpy(to_, &change, sizeof change);
      to_ += count;
    }
  }
  std::byte* end() const { return to_; }

 private:
  std::byte* mask_;
  std::byte* to_;
};

std::size_t common_prefix(Bytes one, Bytes other) {
  std::size_t most = std::min(one.size(), other.size());
  std::size_t at = 0;
  for (; at + word_size <= most; at += word_size) {
    if (std::uint64_t change = load_word(one.data() + at) ^ load_word(other.data() + at)) {
      return at + static_cast<std::size_t>(std::countr_zero(change)) / 8;
    }
  }
  while (at < most && one[at] == other[at]) {
    ++at;
  }
  return at;
}

}  // namespace

Folder::Folder() : out_(batch_raw_usual / 2) {}

void Folder::clear() {
  context_.clear();
  size_ = 0;
}

std::byte* Folder::room(std::size_t size) {
  if (out_.size() - size_ < size) {
    out_.resize(size_ + size + out_.size() / 2);
  }
  return out_.data() + size_;
}

void Folder::add_as_is(Bytes record) {
  constexpr std::size_t before = 8;  // kind and length
  std::byte* to = room(before + record.size());
  *to++ = std::byte{fold_as_is};
  to = put_number(to, record.size());
  to = std::copy(record.begin(), record.end(), to);
  size_ = static_cast<std::size_t>(to - out_.data());
}

bool Folder::is_foldable(Bytes record, const bpftrap_record_header& header) {
  return header.size == record.size() && header.fixed % word_size == 0 &&
         header.fixed >= sizeof header && header.fixed <= record.size() &&
         header.fixed <= FoldContext::words_most * word_size && header.kind != fold_as_is &&
         header.kind < FoldContext::kinds;
}

// Writes the shape, if it is another one, and the length of the data.
std::byte* Folder::put_shape(std::byte* to, const bpftrap_record_header& header,
                             const FoldContext::Earlier& earlier) {
  std::size_t words = header.fixed / word_size;
  bool same = earlier.used == words && earlier.version == header.version;
  *to++ = static_cast<std::byte>(header.kind | (same ? 0 : fold_has_shape));
  if (!same) {
    *to++ = static_cast<std::byte>(header.version);
    *to++ = static_cast<std::byte>(words);
    *to++ = static_cast<std::byte>(words >> 8);
  }
  return put_number(to, header.size - header.fixed);
}

void Folder::add(Bytes bytes) {
  bpftrap_record_header header{};
  if (bytes.size() >= sizeof header) {
    std::memcpy(&header, bytes.data(), sizeof header);
  }
  if (!is_foldable(bytes, header)) {
    add_as_is(bytes);
    return;
  }
  const std::byte* record = bytes.data();
  std::size_t words = header.fixed / word_size;
  Bytes data = bytes.subspan(header.fixed);
  FoldContext::Earlier& earlier = context_.earlier(header.kind, words);
  constexpr std::size_t lengths = 32;  // kind, shape, lengths, slot, a whole word behind the end
  std::byte* to = room(lengths + words / 8 + words * (word_size + 1) + data.size());
  to = put_shape(to, header, earlier);
  const std::uint64_t* predicted = earlier.words.data();
  if (has_slot(header.kind, words)) {
    std::uint8_t slot = slot_of(record);
    *to++ = static_cast<std::byte>(slot);
    WordWriter writer(to, words);
    writer.put(record, predicted + 1, 1, process_begin);
    writer.put(record, context_.process(slot).data(), process_begin, process_end);
    writer.put(record, predicted + process_end, process_end, words);
    to = writer.end();
  } else {
    WordWriter writer(to, words);
    writer.put(record, predicted + 1, 1, words);
    to = writer.end();
  }
  if (!data.empty()) {
    std::size_t prefix = common_prefix(data, earlier.data);
    to = put_number(to, prefix);
    to = std::copy(data.begin() + static_cast<std::ptrdiff_t>(prefix), data.end(), to);
  }
  size_ = static_cast<std::size_t>(to - out_.data());
  context_.keep(earlier, header, bytes);
}

}  // namespace bpftrap
