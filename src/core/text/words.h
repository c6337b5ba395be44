// SPDX-License-Identifier: GPL-2.0-only
// Examines eight bytes of text at a time, because most traced text is plain ASCII. A test marks a
// byte by setting its high bit.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bpftrap {

using Word = std::uint64_t;

constexpr Word each_byte(unsigned char value) {
  return Word{0x0101010101010101} * value;
}

constexpr bool no_marks(Word word) {
  return (word & each_byte(0x80)) == 0;
}

// Marks the bytes of an ASCII word that are less than `limit` (maximum 0x80). Non-ASCII bytes are
// already marked. The byte after a marked one may be marked by mistake.
constexpr Word mark_less(Word word, unsigned char limit) {
  return word - each_byte(limit);
}

// Marks the bytes that equal `value` (below 0x80), with the same caveat.
constexpr Word mark_equal(Word word, unsigned char value) {
  return mark_less(word ^ each_byte(value), 1);
}

// Returns the bytes, which are less than a word, with spaces behind them.
inline Word padded_word(std::string_view bytes) {
  constexpr Word spaces = each_byte(' ');
  if (bytes.empty()) {
    return spaces;
  }
  if constexpr (std::endian::native != std::endian::little) {
    Word padded = spaces;
    std::memcpy(&padded, bytes.data(), bytes.size());
    return padded;
  }
  // Two reads that overlap, because a copy of a variable size is a call
  Word word = 0;
  std::size_t size = bytes.size();
  if (size >= 4) {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::memcpy(&begin, bytes.data(), sizeof begin);
    std::memcpy(&end, bytes.data() + size - sizeof end, sizeof end);
    word = begin | Word{end} << (8 * (size - sizeof end));
  } else {
    auto byte = [&](std::size_t at) {
      return Word{static_cast<unsigned char>(bytes[at])} << (8 * at);
    };
    word = byte(0) | byte(size / 2) | byte(size - 1);
  }
  return word | spaces << (8 * size);
}

// Returns true if `bytes` begin with a whole word in which `mark` and non-ASCII bytes mark nothing.
template <class Mark>
bool begins_unmarked(std::string_view bytes, Mark mark) {
  Word word = 0;
  if (bytes.size() < sizeof word) {
    return false;
  }
  std::memcpy(&word, bytes.data(), sizeof word);
  return no_marks(word | mark(word));
}

}  // namespace bpftrap
