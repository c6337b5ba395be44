// SPDX-License-Identifier: GPL-2.0-only
// Decodes one UTF-8 code point. Escaping and column counting (text.h) share it.
#pragma once

#include <cstddef>
#include <string_view>

namespace bpftrap {

struct CodePoint {
  char32_t value;
  // Length in bytes; 0 if the first byte starts no valid sequence.
  std::size_t size;
};

// Decodes the first code point of `bytes` (not empty) by table 3-7 of the Unicode Standard.
// Overlong forms, surrogates and values above U+10FFFF are invalid.
constexpr CodePoint decode_utf8(std::string_view bytes) {
  auto byte = [bytes](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  char32_t lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  std::size_t size = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (lead >= 0xC0 && lead < 0xE0) {
    size = 2;
    value = lead & 0x1F;
    least = 0x80;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    size = 3;
    value = lead & 0x0F;
    least = 0x800;
  } else if (lead >= 0xF0 && lead < 0xF8) {
    size = 4;
    value = lead & 0x07;
    least = 0x10000;
  }
  if (size == 0 || bytes.size() < size) {
    return {0, 0};
  }
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0U) != 0x80) {
      return {0, 0};
    }
    value = value << 6 | (byte(at) & 0x3FU);
  }
  bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) {
    return {0, 0};
  }
  return {value, size};
}

}  // namespace bpftrap
