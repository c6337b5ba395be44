// SPDX-License-Identifier: GPL-2.0-only
// The part of text.h that serves the table: short numbers and column widths.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/text/text.h"
#include "core/text/utf8.h"
#include "core/text/words.h"

namespace bpftrap {

namespace {

using std::chrono::nanoseconds;

struct Range {
  char32_t first;
  char32_t last;
};

// Nonspacing marks of the scripts that are likely in a file name, and joining characters.
constexpr std::array zero_width_ranges{
    Range{0x300, 0x36F},     Range{0x483, 0x489},   Range{0x591, 0x5BD},   Range{0x5BF, 0x5BF},
    Range{0x5C1, 0x5C2},     Range{0x5C4, 0x5C5},   Range{0x610, 0x61A},   Range{0x64B, 0x65F},
    Range{0x670, 0x670},     Range{0x6D6, 0x6DC},   Range{0x6DF, 0x6E4},   Range{0x93C, 0x93C},
    Range{0x941, 0x948},     Range{0x94D, 0x94D},   Range{0x951, 0x957},   Range{0x981, 0x981},
    Range{0x9C1, 0x9C4},     Range{0x9CD, 0x9CD},   Range{0xBC0, 0xBC0},   Range{0xBCD, 0xBCD},
    Range{0xE31, 0xE31},     Range{0xE34, 0xE3A},   Range{0xE47, 0xE4E},   Range{0xEB1, 0xEB1},
    Range{0xEB4, 0xEBC},     Range{0xEC8, 0xECD},   Range{0x1160, 0x11FF}, Range{0x1AB0, 0x1AFF},
    Range{0x1DC0, 0x1DFF},   Range{0x200B, 0x200F}, Range{0x20D0, 0x20F0}, Range{0x302A, 0x302D},
    Range{0x3099, 0x309A},   Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF},
    Range{0xE0100, 0xE01EF},
};

// East_Asian_Width W and F of Unicode 14. Ranges extend over unassigned gaps.
constexpr std::array wide_ranges{
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},
    Range{0x23E9, 0x23EC},   Range{0x23F0, 0x23F0},   Range{0x23F3, 0x23F3},
    Range{0x25FD, 0x25FE},   Range{0x2614, 0x2615},   Range{0x2648, 0x2653},
    Range{0x267F, 0x267F},   Range{0x2693, 0x2693},   Range{0x26A1, 0x26A1},
    Range{0x26AA, 0x26AB},   Range{0x26BD, 0x26BE},   Range{0x26C4, 0x26C5},
    Range{0x26CE, 0x26CE},   Range{0x26D4, 0x26D4},   Range{0x26EA, 0x26EA},
    Range{0x26F2, 0x26F3},   Range{0x26F5, 0x26F5},   Range{0x26FA, 0x26FA},
    Range{0x26FD, 0x26FD},   Range{0x2705, 0x2705},   Range{0x270A, 0x270B},
    Range{0x2728, 0x2728},   Range{0x274C, 0x274C},   Range{0x274E, 0x274E},
    Range{0x2753, 0x2755},   Range{0x2757, 0x2757},   Range{0x2795, 0x2797},
    Range{0x27B0, 0x27B0},   Range{0x27BF, 0x27BF},   Range{0x2B1B, 0x2B1C},
    Range{0x2B50, 0x2B50},   Range{0x2B55, 0x2B55},   Range{0x2E80, 0x303E},
    Range{0x3041, 0x3247},   Range{0x3250, 0x4DBF},   Range{0x4E00, 0xA4C6},
    Range{0xA960, 0xA97C},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAD9},
    Range{0xFE10, 0xFE19},   Range{0xFE30, 0xFE6B},   Range{0xFF01, 0xFF60},
    Range{0xFFE0, 0xFFE6},   Range{0x16FE0, 0x1B2FB}, Range{0x1F004, 0x1F004},
    Range{0x1F0CF, 0x1F0CF}, Range{0x1F18E, 0x1F18E}, Range{0x1F191, 0x1F19A},
    Range{0x1F200, 0x1F320}, Range{0x1F32D, 0x1F335}, Range{0x1F337, 0x1F37C},
    Range{0x1F37E, 0x1F393}, Range{0x1F3A0, 0x1F3CA}, Range{0x1F3CF, 0x1F3D3},
    Range{0x1F3E0, 0x1F3F0}, Range{0x1F3F4, 0x1F3F4}, Range{0x1F3F8, 0x1F43E},
    Range{0x1F440, 0x1F440}, Range{0x1F442, 0x1F4FC}, Range{0x1F4FF, 0x1F53D},
    Range{0x1F54B, 0x1F54E}, Range{0x1F550, 0x1F567}, Range{0x1F57A, 0x1F57A},
    Range{0x1F595, 0x1F596}, Range{0x1F5A4, 0x1F5A4}, Range{0x1F5FB, 0x1F64F},
    Range{0x1F680, 0x1F6C5}, Range{0x1F6CC, 0x1F6CC}, Range{0x1F6D0, 0x1F6D2},
    Range{0x1F6D5, 0x1F6DF}, Range{0x1F6EB, 0x1F6EC}, Range{0x1F6F4, 0x1F6FC},
    Range{0x1F7E0, 0x1F7F0}, Range{0x1F90C, 0x1F93A}, Range{0x1F93C, 0x1F945},
    Range{0x1F947, 0x1F9FF}, Range{0x1FA70, 0x1FAF6}, Range{0x20000, 0x3FFFD},
};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t code) {
  auto range = std::lower_bound(ranges.begin(), ranges.end(), code,
                                [](Range r, char32_t c) { return r.last < c; });
  return range != ranges.end() && code >= range->first;
}

std::size_t code_point_width(char32_t code) {
  if (code < zero_width_ranges.front().first) {
    return 1;
  }
  if (contains(zero_width_ranges, code)) {
    return 0;
  }
  return contains(wide_ranges, code) ? 2 : 1;
}

void append_two_digits(std::string& out, std::int64_t value) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

void append_whole(std::string& out, std::int64_t value) {
  append_number(out, static_cast<std::uint64_t>(value));
}

// Appends three digits of `value / unit`, then the unit's name.
void append_three_digits(std::string& out, std::int64_t value, std::int64_t unit,
                         std::string_view name) {
  std::int64_t whole = value / unit;
  std::int64_t rest = value % unit;
  append_whole(out, whole);
  if (whole < 10) {
    out += '.';
    append_two_digits(out, rest * 100 / unit);
  } else if (whole < 100) {
    out += '.';
    append_whole(out, rest * 10 / unit);
  }
  out += name;
}

// Appends two units of time, as in `12m03s`. One `larger` unit is `more` `smaller` ones.
void append_two_units(std::string& out, std::int64_t value, std::int64_t more, char larger,
                      char smaller) {
  append_whole(out, value / more);
  out += larger;
  append_two_digits(out, value % more);
  out += smaller;
}

}  // namespace

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_human_duration(std::string& out, nanoseconds duration) {
  static constexpr std::int64_t microsecond = 1'000;
  static constexpr std::int64_t millisecond = 1'000 * microsecond;
  static constexpr std::int64_t second = 1'000 * millisecond;
  static constexpr std::int64_t minute = 60 * second;
  static constexpr std::int64_t hour = 60 * minute;
  static constexpr std::int64_t day = 24 * hour;
  // Three digits of days and two of hours need 8 columns, one too many.
  static constexpr std::int64_t hours_stop_mattering = 100 * day;

  std::int64_t ns = duration.count();
  if (ns <= 0) {
    out += "0s";
  } else if (ns < microsecond) {
    append_whole(out, ns);
    out += "ns";
  } else if (ns < millisecond) {
    append_three_digits(out, ns, microsecond, "µs");
  } else if (ns < second) {
    append_three_digits(out, ns, millisecond, "ms");
  } else if (ns < minute) {
    append_three_digits(out, ns, second, "s");
  } else if (ns < hour) {
    append_two_units(out, ns / second, 60, 'm', 's');
  } else if (ns < day) {
    append_two_units(out, ns / minute, 60, 'h', 'm');
  } else if (ns < hours_stop_mattering) {
    append_two_units(out, ns / hour, 24, 'd', 'h');
  } else {
    append_whole(out, ns / day);
    out += 'd';
  }
}

void append_human_size(std::string& out, std::uint64_t bytes) {
  static constexpr std::string_view unit_letters = "BKMGTPE";
  std::size_t unit = 0;
  unsigned shift = 0;
  while (bytes >> shift >= 1024) {
    ++unit;
    shift += 10;
  }
  std::uint64_t whole = bytes >> shift;
  append_number(out, whole);
  if (unit > 0 && whole < 10) {
    // This cannot overflow: `rest` is below 2^60.
    std::uint64_t rest = bytes & ((1ULL << shift) - 1);
    out += '.';
    append_number(out, rest * 10 >> shift);
  }
  out += unit_letters[unit];
}

std::size_t display_width(std::string_view utf8) {
  auto nothing = [](Word) { return Word{0}; };
  std::size_t width = 0;
  while (!utf8.empty()) {
    if (begins_unmarked(utf8, nothing)) {
      width += sizeof(Word);
      utf8.remove_prefix(sizeof(Word));
      continue;
    }
    if (static_cast<unsigned char>(utf8.front()) < 0x80) {
      ++width;
      utf8.remove_prefix(1);
      continue;
    }
    CodePoint code = decode_utf8(utf8);
    width += code.size == 0 ? 1 : code_point_width(code.value);
    utf8.remove_prefix(std::max<std::size_t>(code.size, 1));
  }
  return width;
}

void append_padded(std::string& out, std::string_view text, std::size_t width, Align align) {
  std::size_t start = out.size();
  out += text;
  pad(out, start, width, align);
}

void pad(std::string& out, std::size_t start, std::size_t width, Align align) {
  std::size_t taken = display_width(std::string_view(out).substr(start));
  if (taken < width) {
    out.insert(align == Align::right ? start : out.size(), width - taken, ' ');
  }
}

std::string human_duration(nanoseconds duration) {
  std::string text;
  append_human_duration(text, duration);
  return text;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view several) {
  std::string text;
  append_number(text, count);
  text += ' ';
  return text.append(count == 1 ? one : several);
}

std::string human_size(std::uint64_t bytes) {
  std::string text;
  append_human_size(text, bytes);
  return text;
}

}  // namespace bpftrap
