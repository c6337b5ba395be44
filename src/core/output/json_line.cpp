// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/json_line.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/text/utf8.h"
#include "core/text/words.h"

namespace bpftrap {

namespace {

using rapidjson::SizeType;
using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr std::size_t most_digits = 20;  // of 2^64 - 1

// An ASCII character as it stands in a string; `\u001B` is the longest.
struct Letter {
  static constexpr std::size_t most = 6;

  std::array<char, 8> text{};  // of a size that one instruction copies
  std::size_t size = 0;
};
using Letters = std::array<Letter, 0x80>;

Letters write_letters() {
  Letters letters;
  for (std::size_t code = 0; code < letters.size(); ++code) {
    const char character = static_cast<char>(code);
    rapidjson::StringBuffer quoted;
    Writer(quoted).String(&character, 1);
    letters[code].size = quoted.GetSize() - 2;
    std::memcpy(letters[code].text.data(), quoted.GetString() + 1, letters[code].size);
  }
  return letters;
}

// What does not stand in a string as it is.
constexpr Word mark_escaped(Word word) {
  return mark_less(word, 0x20) | mark_equal(word, '"') | mark_equal(word, '\\');
}

}  // namespace

std::vector<std::string> JsonLine::keys(std::span<const std::string_view> names) {
  std::vector<std::string> keys;
  rapidjson::StringBuffer object;
  Writer writer(object);
  writer.StartObject();
  std::size_t told = 0;
  for (std::string_view name : names) {
    writer.Key(name.data(), static_cast<SizeType>(name.size()));
    writer.RawValue("", 0, rapidjson::kNullType);  // the colon is written along with the value
    keys.emplace_back(object.GetString() + told, object.GetSize() - told);
    told = object.GetSize();
  }
  return keys;
}

void JsonLine::number(std::uint64_t value) {
  char* to = reserve(most_digits);
  grew(std::to_chars(to, to + most_digits, value).ptr);
}

void JsonLine::string(std::string_view bytes) {
  static constexpr std::string_view replacement = "\xEF\xBF\xBD";
  static const Letters letters = write_letters();
  char* to = reserve(Letter::most * bytes.size() + sizeof(Letter::text) + 2);
  *to++ = '"';
  while (!bytes.empty()) {
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
