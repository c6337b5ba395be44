// SPDX-License-Identifier: GPL-2.0-only
// Examines eight bytes of text at a time, because most traced text is plain ASCII. A test marks a
// byte by setting its high bit.
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

// Marks the bytes of an ASCII word that are less than `limit` (maximum 0x80). Non-ASCII bytes are
// already marked. The byte after a marked one may be marked by mistake.
constexpr Word mark_less(Word word, unsigned char limit) {
  return word - each_byte(limit);
}

// Marks the bytes that equal `value` (below 0x80), with the same caveat.
constexpr Word mark_equal(Word word, unsigned char value) {
  return mark_less(word ^ each_byte(value), 1);
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
