// SPDX-License-Identifier: GPL-2.0-only
// Eight bytes of text in one go, since most of what is traced is plain ASCII. A question about a
// word is answered by marks: the high bits of its bytes.
#pragma once

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

// Marks the bytes of an ASCII word (which is marked itself where it is none) that are less than
// `limit`, at most 0x80. The byte behind one that is marked may be marked without being less.
constexpr Word mark_less(Word word, unsigned char limit) {
  return word - each_byte(limit);
}

// The same for bytes that are `value`, below 0x80.
constexpr Word mark_equal(Word word, unsigned char value) {
  return mark_less(word ^ each_byte(value), 1);
}

// Whether `bytes` begin with a word of which `mark` marks nothing.
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
