// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/checks.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "e2e/failure.h"
#include "e2e/shell_words.h"

namespace fuzz {

namespace {

struct Bytes {
  unsigned char first;
  unsigned char last;
};

// Well-formed UTF-8 byte sequences: a row of table 3-7 of the Unicode Standard.
struct Sequence {
  std::size_t size;
  std::array<Bytes, 4> bytes;
};
constexpr Bytes any{0x80, 0xBF};
constexpr std::array<Sequence, 9> well_formed{{
    {1, {{{0x00, 0x7F}}}},
    {2, {{{0xC2, 0xDF}, any}}},
    {3, {{{0xE0, 0xE0}, {0xA0, 0xBF}, any}}},
    {3, {{{0xE1, 0xEC}, any, any}}},
    {3, {{{0xED, 0xED}, {0x80, 0x9F}, any}}},
    {3, {{{0xEE, 0xEF}, any, any}}},
    {4, {{{0xF0, 0xF0}, {0x90, 0xBF}, any, any}}},
    {4, {{{0xF1, 0xF3}, any, any, any}}},
    {4, {{{0xF4, 0xF4}, {0x80, 0x8F}, any, any}}},
}};

// The well-formed sequence at the front, or "".
std::string_view sequence_of(std::string_view bytes) {
  for (const Sequence& sequence : well_formed) {
    bool matches = bytes.size() >= sequence.size;
    for (std::size_t i = 0; matches && i < sequence.size; ++i) {
      auto byte = static_cast<unsigned char>(bytes[i]);
      matches = byte >= sequence.bytes[i].first && byte <= sequence.bytes[i].last;
    }
    if (matches) {
      return bytes.substr(0, sequence.size);
    }
  }
  return {};
}

// Characters that control a terminal or mislead a reader, by their names in the Unicode Standard.
constexpr std::array<std::string_view, 14> misleading{
    "\u061C",  // ARABIC LETTER MARK
    "\u200B",  // ZERO WIDTH SPACE
    "\u200E",  // LEFT-TO-RIGHT MARK
    "\u200F",  // RIGHT-TO-LEFT MARK
    "\u2028",  // LINE SEPARATOR
    "\u2029",  // PARAGRAPH SEPARATOR
    "\u202A",  // LEFT-TO-RIGHT EMBEDDING
    "\u202B",  // RIGHT-TO-LEFT EMBEDDING
    "\u202C",  // POP DIRECTIONAL FORMATTING
    "\u202D",  // LEFT-TO-RIGHT OVERRIDE
    "\u202E",  // RIGHT-TO-LEFT OVERRIDE
    "\u2066",  // LEFT-TO-RIGHT ISOLATE
    "\u2067",  // RIGHT-TO-LEFT ISOLATE
    "\u2069",  // POP DIRECTIONAL ISOLATE
};

bool is_control(std::string_view sequence) {
  auto first = static_cast<unsigned char>(sequence[0]);
  bool c0 = sequence.size() == 1 && (first < 0x20 || first == 0x7F);
  bool c1 = first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
  return c0 || c1;
}

}  // namespace

void require(bool kept, std::string_view promise, std::string_view evidence) {
  if (kept) {
    return;
  }
  std::fprintf(stderr, "BROKEN PROMISE: %.*s\nSEEN: ", static_cast<int>(promise.size()),
               promise.data());
  for (char c : evidence) {
    bool plain = c >= 0x20 && c < 0x7F && c != '\\';
    std::fprintf(stderr, plain ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
  }
  std::fprintf(stderr, "\n");
  std::abort();
}

std::string expected_text(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    std::string_view sequence = sequence_of(bytes);
    text += sequence.empty() ? "\uFFFD" : sequence;
    bytes.remove_prefix(std::max<std::size_t>(sequence.size(), 1));
  }
  return text;
}

void require_terminal_safe(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view sequence = sequence_of(rest);
    require(!sequence.empty(), "text for a terminal is UTF-8", text);
    require(!is_control(sequence), "text for a terminal has no control characters", text);
    require(std::find(misleading.begin(), misleading.end(), sequence) == misleading.end(),
            "text for a terminal reorders nothing and breaks no line", text);
    rest.remove_prefix(sequence.size());
  }
}

std::string_view require_one_line(std::string_view text) {
  require(text.find('\n') == text.size() - 1, "a record is one line", text);
  return text.substr(0, text.size() - 1);
}

std::vector<std::string> words_in_shell(std::string_view command_line) {
  // Words that must not come first: reserved words of POSIX and bash.
  static const std::set<std::string_view> reserved{
      "!",  "{",  "}",    "case",  "do",    "done", "elif", "else", "esac",   "fi",     "for",
      "if", "in", "then", "until", "while", "[[",   "]]",   "time", "select", "coproc", "function"};
  std::string_view first = command_line.substr(0, command_line.find(' '));
  require(!reserved.contains(first), "a command line begins with no reserved word", command_line);
  require(first.substr(0, first.find('\'')).find('=') == std::string_view::npos,
          "a command line begins with no assignment", command_line);
  try {
    return e2e::shell_words(command_line);
  } catch (const e2e::Failure& failure) {
    require(false, failure.what(), command_line);
  }
  return {};
}

nlohmann::json require_json_line(std::string_view text) {
  std::string_view line = require_one_line(text);
  std::set<std::string> keys;
  bool twice = false;
  auto watch = [&](int /*depth*/, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key) {
      twice = twice || !keys.insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  nlohmann::json object = nlohmann::json::parse(line, watch, false);
  require(object.is_object(), "a line is a JSON object", text);
  require(!twice, "no key comes twice", text);
  return object;
}

std::vector<std::string> split(std::string_view bytes, char separator) {
  std::vector<std::string> pieces;
  for (std::string_view rest = bytes; !rest.empty();) {
    std::size_t end = std::min(rest.find(separator), rest.size());
    pieces.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return pieces;
}

}  // namespace fuzz
