// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/json_line.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/text/utf8.h"
#include "core/text/words.h"

namespace bpftrap {

namespace {

// An ASCII character as written in a JSON string; `\u001B` is the longest.
struct Letter {
  static constexpr std::size_t most = 6;

  std::array<char, 8> text{};  // a size that one instruction copies
  std::size_t size = 0;
};
using Letters = std::array<Letter, 0x80>;

constexpr Letter spell(std::string_view text) {
  Letter letter;
  std::copy(text.begin(), text.end(), letter.text.begin());
  letter.size = text.size();
  return letter;
}

// Escapes control characters, quotes and backslashes (RFC 8259, section 7).
constexpr Letters write_letters() {
  constexpr std::string_view digits = "0123456789ABCDEF";
  Letters letters;
  for (std::size_t code = 0; code < 0x20; ++code) {
    letters[code] = spell("\\u00");
    letters[code].text[4] = digits[code >> 4];
    letters[code].text[5] = digits[code & 0xF];
    letters[code].size = Letter::most;
  }
  for (std::size_t code = 0x20; code < letters.size(); ++code) {
    char character = static_cast<char>(code);
    letters[code] = spell({&character, 1});
  }
  letters['\b'] = spell("\\b");
  letters['\f'] = spell("\\f");
  letters['\n'] = spell("\\n");
  letters['\r'] = spell("\\r");
  letters['\t'] = spell("\\t");
  letters['"'] = spell("\\\"");
  letters['\\'] = spell("\\\\");
  return letters;
}

// Marks the characters that a string must escape.
constexpr Word mark_escaped(Word word) {
  return mark_less(word, 0x20) | mark_equal(word, '"') | mark_equal(word, '\\');
}

}  // namespace

void JsonLine::string(std::string_view bytes) {
  static constexpr std::string_view replacement = "\xEF\xBF\xBD";
  static constexpr Letters letters = write_letters();
  char* to = reserve(Letter::most * bytes.size() + sizeof(Letter::text) + 2);
  *to++ = '"';
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(Word)) {
      Word word = padded_word(bytes);
      if (no_marks(word | mark_escaped(word))) {
        std::memcpy(to, &word, sizeof word);
        to += bytes.size();
        break;
      }
    }
    if (begins_unmarked(bytes, mark_escaped)) {
      std::memcpy(to, bytes.data(), sizeof(Word));
      to += sizeof(Word);
      bytes.remove_prefix(sizeof(Word));
      continue;
    }
    if (auto byte = static_cast<unsigned char>(bytes.front()); byte < letters.size()) {
      const Letter& letter = letters[byte];
      std::memcpy(to, letter.text.data(), letter.text.size());
      to += letter.size;
      bytes.remove_prefix(1);
      continue;
    }
    std::size_t size = decode_utf8(bytes).size;
    std::string_view valid = size > 0 ? bytes.substr(0, size) : replacement;
    to = std::copy(valid.begin(), valid.end(), to);
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  *to++ = '"';
  grew(to);
}

}  // namespace bpftrap
