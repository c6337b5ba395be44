// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/shell_words.h"

#include <cctype>
#include <cstdint>

#include "e2e/failure.h"

namespace e2e {

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  bool starts(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }
  char take() {
    if (done()) {
      throw Failure("a command line ends within quotes");
    }
    return text_[at_++];
  }
  void skip(std::size_t size) { at_ += size; }
  std::uint32_t hex(int digits) {
    std::uint32_t value = 0;
    for (; digits > 0 && !done() && std::isxdigit(static_cast<unsigned char>(text_[at_])) != 0;
         --digits) {
      value =
          value * 16 + static_cast<std::uint32_t>(std::stoi(std::string(1, take()), nullptr, 16));
    }
    return value;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

void read_single_quoted(Reader& reader, std::string& word) {
  for (char c; (c = reader.take()) != '\'';) {
    word += c;
  }
}

void read_dollar_quoted(Reader& reader, std::string& word) {
  for (char c; (c = reader.take()) != '\'';) {
    if (c != '\\') {
      word += c;
      continue;
    }
    switch (c = reader.take()) {
      case 'n':
        word += '\n';
        break;
      case 't':
        word += '\t';
        break;
      case 'r':
        word += '\r';
        break;
      case '\\':
      case '\'':
        word += c;
        break;
      case 'x':
        word += static_cast<char>(reader.hex(2));
        break;
      case 'u':
        append_utf8(word, reader.hex(4));
        break;
      case 'U':
        append_utf8(word, reader.hex(8));
        break;
      default:
        throw Failure("a command line has an unexpected escape");
    }
  }
}

}  // namespace

std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  Reader reader(line);
  while (!reader.done()) {
    if (reader.starts(" ")) {
      reader.skip(1);
      continue;
    }
    std::string word;
    while (!reader.done() && !reader.starts(" ")) {
      if (reader.starts("$'")) {
        reader.skip(2);
        read_dollar_quoted(reader, word);
      } else if (reader.starts("'")) {
        reader.skip(1);
        read_single_quoted(reader, word);
      } else if (reader.starts("\\'")) {
        reader.skip(2);
        word += '\'';
      } else {
        char c = reader.take();
        if (std::string_view("|&;<>()$`\\\"*?[]#~{}!").find(c) != std::string_view::npos) {
          throw Failure("a command line has a special character without quotes");
        }
        word += c;
      }
    }
    words.push_back(word);
  }
  return words;
}

bool is_terminal_safe(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    auto byte = static_cast<unsigned char>(text[at]);
    std::size_t size = byte < 0x80 ? 1 : byte < 0xC2 ? 0 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (size == 0 || byte > 0xF4 || (byte < 0x20 && byte != '\n') || byte == 0x7F ||
        at + size > text.size()) {
      return false;
    }
    for (std::size_t i = 1; i < size; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xC0U) != 0x80) {
        return false;
      }
    }
    if (byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0) {
      return false;  // C1
    }
    at += size;
  }
  return true;
}

std::string without_colors(std::string_view text, int* count) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\x1b[")) {
      std::size_t end = text.find_first_not_of("0123456789;", at + 2);
      if (end != std::string_view::npos && text[end] == 'm') {
        at = end;
        if (count != nullptr) {
          ++*count;
        }
        continue;
      }
    }
    plain += text[at];
  }
  return plain;
}

}  // namespace e2e
