// SPDX-License-Identifier: GPL-2.0-only
// Table support in core/text/text.h: short numbers and columns.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/text/text.h"

namespace bpftrap {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

std::string human_duration(std::int64_t ns) {
  return bpftrap::human_duration(nanoseconds(ns));
}

TEST(HumanDuration, KnownValues) {
  struct Case {
    std::int64_t ns;
    std::string text;
  };
  const std::vector<Case> cases{
      {std::numeric_limits<std::int64_t>::min(), "0s"},
      {-1, "0s"},
      {0, "0s"},
      {1, "1ns"},
      {999, "999ns"},
      {1'000, "1.00µs"},
      {1'009, "1.00µs"},
      {9'999, "9.99µs"},
      {10'000, "10.0µs"},
      {99'999, "99.9µs"},
      {812'345, "812µs"},
      {999'999, "999µs"},
      {1'000'000, "1.00ms"},
      {1'249'999, "1.24ms"},
      {35'290'000, "35.2ms"},
      {812'999'999, "812ms"},
      {999'999'999, "999ms"},
      {kSecond, "1.00s"},
      {1'249'999'999, "1.24s"},
      {35'299'999'999, "35.2s"},
      {60 * kSecond - 1, "59.9s"},
      {60 * kSecond, "1m00s"},
      {723 * kSecond, "12m03s"},
      {3'600 * kSecond - 1, "59m59s"},
      {3'600 * kSecond, "1h00m"},
      {18'479 * kSecond, "5h07m"},
      {kDay - 1, "23h59m"},
      {kDay, "1d00h"},
      {3 * kDay + 14'400 * kSecond, "3d04h"},
      {100 * kDay - 1, "99d23h"},
      {100 * kDay, "100d"},
      {120 * kDay + kDay / 2, "120d"},
      {std::numeric_limits<std::int64_t>::max(), "106751d"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(human_duration(c.ns), c.text) << c.ns;
  }
}

TEST(Counted, SingularAndPlural) {
  EXPECT_EQ(counted(0, "process", "processes"), "0 processes");
  EXPECT_EQ(counted(1, "process", "processes"), "1 process");
  EXPECT_EQ(counted(12345, "process", "processes"), "12345 processes");
}

TEST(HumanSize, KnownValues) {
  struct Case {
    std::uint64_t bytes;
    std::string text;
  };
  const std::vector<Case> cases{
      {0, "0B"},
      {812, "812B"},
      {1023, "1023B"},
      {1024, "1.0K"},
      {1126, "1.0K"},
      {1127, "1.1K"},
      {1229, "1.2K"},
      {10'239, "9.9K"},
      {10'240, "10K"},
      {1'048'575, "1023K"},
      {1'048'576, "1.0M"},
      {35ULL << 20, "35M"},
      {1'503'238'553, "1.3G"},
      {1'503'238'554, "1.4G"},
      {1ULL << 40, "1.0T"},
      {1ULL << 50, "1.0P"},
      {1ULL << 60, "1.0E"},
      {(2ULL << 60) - 1, "1.9E"},
      {std::numeric_limits<std::uint64_t>::max(), "15E"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(human_size(c.bytes), c.text) << c.bytes;
  }
}

TEST(HumanNumbers, KeepToTheirColumns) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = random() >> (random() % 64);
    ASSERT_LE(display_width(human_duration(static_cast<std::int64_t>(value))), 7U) << value;
    ASSERT_LE(display_width(human_size(value)), 5U) << value;
  }
}

TEST(HumanNumbers, Append) {
  std::string out = "kept ";
  append_human_duration(out, nanoseconds(5));
  append_human_duration(out, nanoseconds(kSecond));
  append_human_size(out, 2048);
  append_human_size(out, 1);
  EXPECT_EQ(out, "kept 5ns1.00s2.0K1B");
}

TEST(Number, AllDigits) {
  std::string out = "kept ";
  for (const std::uint64_t value : {0UL, 9UL, 10UL, std::numeric_limits<std::uint64_t>::max()}) {
    append_number(out, value);
    out += ' ';
  }
  EXPECT_EQ(out, "kept 0 9 10 18446744073709551615 ");
}

TEST(DisplayWidth, KnownTexts) {
  struct Case {
    std::string text;
    std::size_t width;
  };
  const std::vector<Case> cases{
      {"", 0},           {"bash", 4},
      {"812µs", 5},      {"café", 4},
      {"cafe\u0301", 4},  // decomposed
      {"…", 1},          {"日本", 4},
      {"한국", 4},       {"\u1112\u1161\u11ab", 2},  // one syllable of three letters
      {"ａ", 2},                                     // fullwidth
      {"🐝", 2},          {"❤\uFE0F", 1},
      {"Привет", 6},     {"שָׁלוֹם", 4},
      {"ไทย", 3},        {"ที่", 1},
      {"\U00020000", 2}, {"\xFF\xFE", 2},
      {"a\xE2\x82", 3},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(display_width(c.text), c.width) << c.text;
    for (std::size_t size = 0; size < 20; ++size) {
      const std::string ascii(size, 'a');
      EXPECT_EQ(display_width(ascii + c.text + ascii), c.width + 2 * size) << size << c.text;
    }
  }
}

TEST(Padded, FillsUpToTheWidthAndCutsNothing) {
  struct Case {
    std::string text;
    std::size_t width;
    Align align;
    std::string padded;
  };
  const std::vector<Case> cases{
      {"ab", 5, Align::left, "ab   "},   {"ab", 5, Align::right, "   ab"},
      {"", 2, Align::left, "  "},        {"", 0, Align::right, ""},
      {"abc", 3, Align::left, "abc"},    {"abcd", 3, Align::left, "abcd"},
      {"abcd", 3, Align::right, "abcd"}, {"日本", 6, Align::left, "日本  "},
      {"µs", 4, Align::right, "  µs"},
  };
  for (const auto& c : cases) {
    std::string out = "|";
    append_padded(out, c.text, c.width, c.align);
    EXPECT_EQ(out, "|" + c.padded);
    out = "|" + c.text;
    pad(out, 1, c.width, c.align);
    EXPECT_EQ(out, "|" + c.padded);
  }
}

}  // namespace
}  // namespace bpftrap
