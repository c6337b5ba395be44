// SPDX-License-Identifier: GPL-2.0-only
// core/text/text.h and core/output/json_line.h: text for terminals and JSON. shell_quote_test.cpp
// has the tests of shell quoting, text_columns_test.cpp those of the table's columns.
#include "core/text/text.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/output/json_line.h"
#include "core/text/utf8.h"

namespace bpftrap {
namespace {

using Replaced = std::pair<std::string, std::string>;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The bytes as a JSON string.
std::string json_string(std::string_view bytes) {
  JsonLine line;
  line.string(bytes);
  return std::string(line.text());
}

// The text that a strict JSON parser reads back.
std::string through_json(std::string_view bytes) {
  const std::string json = json_string(bytes);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsString()) {
    ADD_FAILURE() << "not a JSON string: " << testing::PrintToString(json);
    return {};
  }
  return {document.GetString(), document.GetStringLength()};
}

// Length of the valid sequence at the beginning. This follows table 3-7 of the Unicode Standard by
// ranges of bytes, whereas the tested code compares values.
std::size_t valid_sequence(std::string_view s) {
  const auto in = [s](std::size_t at, unsigned low, unsigned high) {
    return at < s.size() && static_cast<unsigned char>(s[at]) >= low &&
           static_cast<unsigned char>(s[at]) <= high;
  };
  const auto tail = [&in](std::size_t at) { return in(at, 0x80, 0xBF); };
  if (in(0, 0x00, 0x7F)) return 1;
  if (in(0, 0xC2, 0xDF) && tail(1)) return 2;
  if (in(0, 0xE0, 0xE0) && in(1, 0xA0, 0xBF) && tail(2)) return 3;
  if (in(0, 0xE1, 0xEC) && tail(1) && tail(2)) return 3;
  if (in(0, 0xED, 0xED) && in(1, 0x80, 0x9F) && tail(2)) return 3;
  if (in(0, 0xEE, 0xEF) && tail(1) && tail(2)) return 3;
  if (in(0, 0xF0, 0xF0) && in(1, 0x90, 0xBF) && tail(2) && tail(3)) return 4;
  if (in(0, 0xF1, 0xF3) && tail(1) && tail(2) && tail(3)) return 4;
  if (in(0, 0xF4, 0xF4) && in(1, 0x80, 0x8F) && tail(2) && tail(3)) return 4;
  return 0;
}

std::string reference_valid_utf8(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const auto size = valid_sequence(bytes);
    out += size == 0 ? kReplacement : bytes.substr(0, size);
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string encode(char32_t code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

bool is_surrogate(char32_t code) {
  return code >= 0xD800 && code <= 0xDFFF;
}

TEST(DecodeUtf8, EveryCodePoint) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    const auto decoded = decode_utf8(encode(code));
    if (is_surrogate(code)) {
      ASSERT_EQ(decoded.size, 0U) << static_cast<std::uint32_t>(code);
    } else {
      ASSERT_EQ(decoded.value, code);
      ASSERT_EQ(decoded.size, encode(code).size());
    }
  }
}

// All sequences of two bytes, and those of three and four around each limit in table 3-7.
TEST(DecodeUtf8, EverySequenceOfBytes) {
  const std::vector<unsigned> borders{0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                      0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF};
  const auto check = [](const std::string& bytes) {
    ASSERT_EQ(decode_utf8(bytes).size, valid_sequence(bytes)) << testing::PrintToString(bytes);
  };
  std::string bytes;
  for (unsigned first = 0; first < 256; ++first) {
    check(bytes = {static_cast<char>(first)});
    for (unsigned second = 0; second < 256; ++second) {
      check(bytes = {static_cast<char>(first), static_cast<char>(second)});
      for (const auto third : borders) {
        check(bytes = {static_cast<char>(first), static_cast<char>(second),
                       static_cast<char>(third)});
        for (const auto fourth : borders) {
          check(bytes = {static_cast<char>(first), static_cast<char>(second),
                         static_cast<char>(third), static_cast<char>(fourth)});
        }
      }
    }
  }
}

TEST(JsonString, OneReplacementForEachInvalidByte) {
  const std::string r(kReplacement);
  const std::vector<Replaced> cases{
      {"", ""},
      {"plain ASCII, long enough for a few words", "plain ASCII, long enough for a few words"},
      {"\n\x1b\x7f", "\n\x1b\x7f"},
      {"na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x90\x9D", "na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x90\x9D"},
      {"\xFF", r},
      {"a\xFFz", "a" + r + "z"},
      {"\xFF\xFE", r + r},
      {"\xE2\x82", r + r},
      {"\xE2\x82z", r + r + "z"},
      {"\xF0\x9F\x90", r + r + r},
      {"\x80", r},
      {"\xC0\x80", r + r},
      {"\xC1\xBF", r + r},
      {"\xE0\x9F\xBF", r + r + r},
      {"\xED\xA0\x80", r + r + r},
      {"\xF0\x8F\xBF\xBF", r + r + r + r},
      {"\xF4\x90\x80\x80", r + r + r + r},
      {"\xF5\x80\x80\x80", r + r + r + r},
      {"\xC3\xC3\xA9", r + "\xC3\xA9"},
      {"12345678\xFF", "12345678" + r},
      {"1234567\xFF", "1234567" + r},
      {"\xFF"
       "12345678",
       r + "12345678"},
      {std::string("a\0b", 3), std::string("a\0b", 3)},
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_EQ(through_json(bytes), expected) << testing::PrintToString(bytes);
  }
}

// Random bytes, many of which are nearly valid UTF-8.
std::string random_bytes(std::mt19937_64& random) {
  std::string bytes;
  const auto pieces = random() % 24;
  for (std::uint64_t i = 0; i < pieces; ++i) {
    switch (random() % 6) {
      case 0:
        bytes += static_cast<char>(random() % 256);
        break;
      case 1:
        bytes += encode(static_cast<char32_t>(random() % 0x110000));
        break;
      case 2:
        bytes += encode(static_cast<char32_t>(0x2000 + random() % 0x70));
        break;
      case 3:
        bytes += encode(static_cast<char32_t>(random() % 0x110000)).substr(0, 1 + random() % 3);
        break;
      case 4:
        bytes += static_cast<char>(random() % 0x20);
        break;
      default:
        bytes.append(random() % 12, static_cast<char>('!' + random() % 90));
    }
  }
  return bytes;
}

TEST(JsonString, AsTheReference) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    const auto bytes = random_bytes(random);
    ASSERT_EQ(through_json(bytes), reference_valid_utf8(bytes)) << testing::PrintToString(bytes);
  }
}

// The code tests eight bytes at a time, so each position is checked.
TEST(JsonString, EscapesAtEachPlace) {
  std::string special = "\"\\\x7f";
  for (char control = 0; control < 0x20; ++control) {
    special += control;
  }
  for (const char c : special) {
    for (std::size_t size = 1; size <= 40; ++size) {
      for (std::size_t place = 0; place < size; ++place) {
        std::string bytes(size, 'a');
        bytes[place] = c;
        ASSERT_EQ(through_json(bytes), bytes) << testing::PrintToString(bytes);
        bytes[size - 1 - place] = c;
        ASSERT_EQ(through_json(bytes), bytes) << testing::PrintToString(bytes);
      }
    }
  }
}

TEST(JsonString, EscapesInTheShortestWay) {
  EXPECT_EQ(json_string("\b\t\n\f\r\x1b\x1f\"\\/'\x7f"), R"("\b\t\n\f\r\u001B\u001F\"\\/')"
                                                         "\x7f\"");
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonString, AllOfItMayNeedAnEscape) {
  for (std::size_t size : {0, 1, 7, 8, 9, 100, 5000}) {
    EXPECT_EQ(json_string(std::string(size, '\x01')).size(), 2 + 6 * size);
    EXPECT_EQ(json_string(std::string(size, '\xFF')).size(), 2 + 3 * size);
  }
}

TEST(JsonLine, Grows) {
  JsonLine line;
  for (int i = 0; i < 2; ++i) {
    line.raw("{\"event\":");
    line.string("x\n");
    line.raw(",\"n\":");
    line.number(0);
    line.raw(",\"n\":");
    line.number(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(line.text(), R"({"event":"x\n","n":0,"n":18446744073709551615)");
    line.clear();
    EXPECT_EQ(line.text(), "");
  }
}

TEST(TerminalSafe, KnownCases) {
  const std::vector<Replaced> cases{
      {"", ""},
      {"sshd: alice [priv]", "sshd: alice [priv]"},
      {" ~", " ~"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
      {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
      {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
      {std::string("\0", 1), "\\x00"},
      {"\x7f", "\\x7f"},
      {"\xC2\x9B"
       "31m",
       "\\u009b31m"},
      {"\xC2\x85", "\\u0085"},
      {"\x9B"
       "31m",
       "\\x9b31m"},
      {"\xFF\xC3", "\\xff\\xc3"},
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},
      {"caf\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\x9D",
       "caf\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\x9D"},
      {"\xE2\x80\xAEtxt.exe", "\\u202etxt.exe"},
      {"\xEF\xBB\xBFx", "\\ufeffx"},
      {"a\xE2\x80\x8B"
       "b",
       "a\\u200bb"},
      {"\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029"},
      {"\xD8\x9C", "\\u061c"},
      {"\xF3\xA0\x81\x81", "\\U000e0041"},
      {"\xE3\x85\xA4\xE1\x85\x9F\xE2\xA0\x80", "\\u3164\\u115f\\u2800"},
      {"\xEF\xB8\x8F\xF3\xA0\x84\x80", "\\ufe0f\\U000e0100"},
      {"a\xC2\xA0"
       "b",
       "a\\u00a0b"},
      {"dev-sda\\x2d1.swap", "dev-sda\\x2d1.swap"},
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_EQ(terminal_safe(bytes), expected) << testing::PrintToString(bytes);
  }
}

// The rule that the table of text.cpp follows, in the words of Unicode.
bool is_default_ignorable(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 17> ranges{{{0xAD, 0xAD},
                                                                  {0x34F, 0x34F},
                                                                  {0x61C, 0x61C},
                                                                  {0x115F, 0x1160},
                                                                  {0x17B4, 0x17B5},
                                                                  {0x180B, 0x180F},
                                                                  {0x200B, 0x200F},
                                                                  {0x202A, 0x202E},
                                                                  {0x2060, 0x206F},
                                                                  {0x3164, 0x3164},
                                                                  {0xFE00, 0xFE0F},
                                                                  {0xFEFF, 0xFEFF},
                                                                  {0xFFA0, 0xFFA0},
                                                                  {0xFFF0, 0xFFF8},
                                                                  {0x1BCA0, 0x1BCA3},
                                                                  {0x1D173, 0x1D17A},
                                                                  {0xE0000, 0xE0FFF}}};
  return std::any_of(ranges.begin(), ranges.end(), [code](const auto& range) {
    return code >= range.first && code <= range.second;
  });
}

bool is_space_or_separator(char32_t code) {
  return code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_blank_letter(char32_t code) {
  return code == 0x2800 || code == 0x16FE4 || code == 0x1D159 ||
         (code >= 0x13430 && code <= 0x13455);
}

bool must_be_escaped(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0xFFF9 && code <= 0xFFFB) ||
         is_default_ignorable(code) || is_space_or_separator(code) || is_blank_letter(code);
}

TEST(TerminalSafe, EveryCodePoint) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    if (is_surrogate(code)) {
      continue;
    }
    const auto bytes = encode(code);
    const auto shown = terminal_safe(bytes);
    if (must_be_escaped(code)) {
      ASSERT_EQ(shown.front(), '\\') << static_cast<std::uint32_t>(code);
    } else {
      ASSERT_EQ(shown, bytes) << static_cast<std::uint32_t>(code);
    }
  }
}

TEST(TerminalSafe, NothingDangerousGetsThrough) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50'000; ++i) {
    const auto bytes = random_bytes(random);
    const auto shown = terminal_safe(bytes);
    for (std::string_view rest = shown; !rest.empty();) {
      const auto size = valid_sequence(rest);
      ASSERT_GT(size, 0U) << testing::PrintToString(bytes);
      ASSERT_FALSE(must_be_escaped(decode_utf8(rest).value)) << testing::PrintToString(bytes);
      rest.remove_prefix(size);
    }
  }
}

// The code tests eight bytes at a time, so each position is checked.
TEST(TerminalSafe, EscapesAtEachPlace) {
  for (const auto& [bytes, escaped] : std::vector<Replaced>{{"\x1b", "\\x1b"},
                                                            {"\x1f", "\\x1f"},
                                                            {"\n", "\\n"},
                                                            {"\x7f", "\\x7f"},
                                                            {"\x80", "\\x80"},
                                                            {"\xC2\x9B", "\\u009b"},
                                                            {" ", " "},
                                                            {"~", "~"}}) {
    for (std::size_t before = 0; before < 20; ++before) {
      for (std::size_t behind = 0; behind < 20; ++behind) {
        const std::string left(before, 'a');
        const std::string right(behind, '~');
        ASSERT_EQ(terminal_safe(left + bytes + right), left + escaped + right);
      }
    }
  }
}

TEST(TerminalSafe, Appends) {
  std::string out = "kept ";
  append_terminal_safe(out, "a\n");
  append_terminal_safe(out, "b");
  EXPECT_EQ(out, "kept a\\nb");
}

}  // namespace
}  // namespace bpftrap
