// SPDX-License-Identifier: GPL-2.0-only
// Escapes bytes of a traced process for a terminal or a shell (see text.h). text_columns.cpp has
// the rest of text.h: short numbers and column widths.
#include "core/text/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "core/text/utf8.h"
#include "core/text/words.h"

namespace bpftrap {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Code points outside C0 that reorder or break a line, are invisible, or look like a space without
// being one. Sources: Unicode 17, DerivedCoreProperties.txt (Default_Ignorable_Code_Point) and
// UnicodeData.txt (Cc, Zl, Zp, Zs without the space, and names with BLANK, FILLER or NULL).
constexpr std::array unsafe_ranges{
    Range{0x7F, 0xA0},        // DEL; C1 controls, which terminals obey like ESC; no-break space
    Range{0xAD, 0xAD},        // soft hyphen
    Range{0x34F, 0x34F},      // combining grapheme joiner
    Range{0x61C, 0x61C},      // Arabic letter mark
    Range{0x115F, 0x1160},    // fillers of Hangul
    Range{0x1680, 0x1680},    // Ogham space
    Range{0x17B4, 0x17B5},    // inherent vowels of Khmer
    Range{0x180B, 0x180F},    // Mongolian variation selectors and vowel separator
    Range{0x2000, 0x200F},    // spaces, zero-width joiners, left-to-right and right-to-left mark
    Range{0x2028, 0x202F},    // line and paragraph separator, bidi controls, narrow space
    Range{0x205F, 0x206F},    // mathematical space, word joiner, invisible operators, bidi isolates
    Range{0x2800, 0x2800},    // blank Braille pattern
    Range{0x3000, 0x3000},    // ideographic space
    Range{0x3164, 0x3164},    // filler of Hangul
    Range{0xFE00, 0xFE0F},    // variation selectors
    Range{0xFEFF, 0xFEFF},    // byte order mark
    Range{0xFFA0, 0xFFA0},    // halfwidth filler of Hangul
    Range{0xFFF0, 0xFFFB},    // ignorable, and interlinear annotation
    Range{0x13430, 0x13455},  // layout and blanks of Egyptian hieroglyphs
    Range{0x16FE4, 0x16FE4},  // filler of Khitan
    Range{0x1BCA0, 0x1BCA3},  // layout of shorthand
    Range{0x1D159, 0x1D159},  // null notehead
    Range{0x1D173, 0x1D17A},  // layout of music
    Range{0xE0000, 0xE0FFF},  // tags (invisible ASCII), more variation selectors, ignorable
};

bool is_unsafe(char32_t code) {
  if (code < 0x20) {
    return true;
  }
  const auto* range = std::partition_point(unsafe_ranges.begin(), unsafe_ranges.end(),
                                           [code](Range r) { return r.last < code; });
  return range != unsafe_ranges.end() && code >= range->first;
}

bool is_plain_ascii(char c) {
  return c >= 0x20 && c < 0x7F;
}

constexpr Word mark_controls(Word word) {
  return mark_less(word, 0x20) | mark_equal(word, 0x7F);
}

// Returns the length of the longest prefix that is valid UTF-8 and safe to print on a terminal.
std::size_t safe_prefix(std::string_view bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (begins_unmarked(rest, mark_controls)) {
      rest.remove_prefix(sizeof(Word));
      continue;
    }
    if (is_plain_ascii(rest.front())) {
      rest.remove_prefix(1);
      continue;
    }
    CodePoint code = decode_utf8(rest);
    if (code.size == 0 || is_unsafe(code.value)) {
      break;
    }
    rest.remove_prefix(code.size);
  }
  return bytes.size() - rest.size();
}

void append_hex_byte(std::string& out, char byte) {
  static constexpr std::string_view hex_digits = "0123456789abcdef";
  auto value = static_cast<unsigned char>(byte);
  out += "\\x";
  out += hex_digits[value >> 4];
  out += hex_digits[value & 0xF];
}

// Escapes one byte below U+0080 in the notation that C and a shell's `$'…'` share.
void append_escaped_ascii(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      append_hex_byte(out, c);
  }
}

using Characters = std::array<bool, 256>;

constexpr Characters characters(std::string_view members) {
  Characters set{};
  for (char c : members) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}

bool is_in(const Characters& set, char c) {
  return set[static_cast<unsigned char>(c)];
}

constexpr auto safe_in_shell = characters(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "%+,-./:=@_");

bool is_shell_keyword(std::string_view word) {
  // POSIX keywords and those of bash, zsh and ksh. Keywords with punctuation are quoted anyway.
  static constexpr std::array<std::string_view, 21> keywords{
      "case",      "coproc", "do",     "done",    "elif",     "else",  "end",
      "esac",      "fi",     "for",    "foreach", "function", "if",    "in",
      "nocorrect", "repeat", "select", "then",    "time",     "until", "while"};
  return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

bool needs_no_quotes(std::string_view arg, WordPlace place) {
  auto safe = [](char c) { return is_in(safe_in_shell, c); };
  if (arg.empty() || !std::all_of(arg.begin(), arg.end(), safe)) {
    return false;
  }
  if (place == WordPlace::command) {
    return arg.find('=') == std::string_view::npos && !is_shell_keyword(arg);
  }
  // zsh replaces `=ls` with the path of ls.
  return arg.front() != '=';
}

void append_single_quoted(std::string& out, std::string_view arg) {
  out += '\'';
  for (std::size_t end = arg.find('\''); end != std::string_view::npos; end = arg.find('\'')) {
    out += arg.substr(0, end);
    out += "'\\''";
    arg.remove_prefix(end + 1);
  }
  out += arg;
  out += '\'';
}

// Appends the text between `$'` and `'`, escaping the characters that are special there.
void append_escaping(std::string& out, std::string_view text) {
  static constexpr auto special_characters = characters("'\\!");
  while (!text.empty()) {
    auto special = [](char c) { return is_in(special_characters, c); };
    const auto* end = std::find_if(text.begin(), text.end(), special);
    auto plain = static_cast<std::size_t>(end - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) {
      break;
    }
    if (text.front() == '!') {
      // Some interactive shells apply history expansion even inside `$'…'`.
      append_hex_byte(out, text.front());
    } else {
      out += '\\';
      out += text.front();
    }
    text.remove_prefix(1);
  }
}

void append_dollar_quoted(std::string& out, std::string_view arg) {
  out += "$'";
  while (!arg.empty()) {
    std::size_t safe = safe_prefix(arg);
    append_escaping(out, arg.substr(0, safe));
    arg.remove_prefix(safe);
    if (arg.empty()) {
      break;
    }
    // Escape single bytes, even of a valid code point: `\u` depends on the locale of the shell.
    std::size_t size = std::max<std::size_t>(decode_utf8(arg).size, 1);
    for (char c : arg.substr(0, size)) {
      append_escaped_ascii(out, c);
    }
    arg.remove_prefix(size);
  }
  out += '\'';
}

// Appends the output of printf(1) as a word. It must not end with a line feed, which the shell
// removes.
void append_printf(std::string& out, std::string_view bytes) {
  out += "\"$(printf '";
  for (char c : bytes) {
    fmt::format_to(std::back_inserter(out), "\\{:03o}", static_cast<unsigned char>(c));
  }
  out += "')\"";
}

// Returns `text` without an incomplete UTF-8 sequence at its end.
std::string_view without_cut_sequence(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(3, text.size()); ++size) {
    auto byte = static_cast<unsigned char>(text[text.size() - size]);
    if (byte >= 0xC0) {
      std::size_t wanted = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
      return size < wanted ? text.substr(0, text.size() - size) : text;
    }
    if (byte < 0x80) {
      break;
    }
  }
  return text;
}

}  // namespace

void append_terminal_safe(std::string& out, std::string_view bytes) {
  while (true) {
    std::size_t safe = safe_prefix(bytes);
    out += bytes.substr(0, safe);
    bytes.remove_prefix(safe);
    if (bytes.empty()) {
      return;
    }
    CodePoint code = decode_utf8(bytes);
    if (code.size <= 1) {
      append_escaped_ascii(out, bytes.front());
    } else if (code.value <= 0xFFFF) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(code.value));
    } else {
      fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<std::uint32_t>(code.value));
    }
    bytes.remove_prefix(std::max<std::size_t>(code.size, 1));
  }
}

void append_shell_quoted(std::string& out, std::string_view arg, WordPlace place) {
  if (needs_no_quotes(arg, place)) {
    out += arg;
  } else if (safe_prefix(arg) == arg.size()) {
    append_single_quoted(out, arg);
  } else {
    append_dollar_quoted(out, arg);
  }
}

void append_posix_quoted(std::string& out, std::string_view arg) {
  if (needs_no_quotes(arg, WordPlace::command)) {
    out += arg;
    return;
  }
  do {
    std::size_t safe = safe_prefix(arg);
    while (safe < arg.size() && arg[safe] == '\n') {
      safe += 1 + safe_prefix(arg.substr(safe + 1));
    }
    if (safe > 0 || arg.empty()) {
      append_single_quoted(out, arg.substr(0, safe));
      arg.remove_prefix(safe);
    }
    if (!arg.empty()) {
      std::size_t size = std::max<std::size_t>(decode_utf8(arg).size, 1);
      append_printf(out, arg.substr(0, size));
      arg.remove_prefix(size);
    }
  } while (!arg.empty());
}

void append_command_line(std::string& out, std::string_view nul_separated_args, bool truncated) {
  std::string_view rest = nul_separated_args;
  WordPlace place = WordPlace::command;
  std::string_view separator;
  while (!rest.empty()) {
    std::size_t end = rest.find('\0');
    std::string_view arg = rest.substr(0, end);
    rest.remove_prefix(std::min(arg.size() + 1, rest.size()));
    if (truncated && end == std::string_view::npos) {
      arg = without_cut_sequence(arg);
    }
    out += separator;
    append_shell_quoted(out, arg, place);
    place = WordPlace::argument;
    separator = " ";
  }
  if (truncated) {
    out += separator;
    out += "…";
  }
}

std::string terminal_safe(std::string_view bytes) {
  std::string text;
  append_terminal_safe(text, bytes);
  return text;
}

}  // namespace bpftrap
