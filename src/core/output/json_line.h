// SPDX-License-Identifier: GPL-2.0-only
// A line of JSON while it grows: the one home of its quoting and escapes.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace bpftrap {

class JsonLine {
 public:
  std::string_view text() const { return {buffer_.data(), size_}; }
  void clear() { size_ = 0; }

  // JSON already.
  void raw(std::string_view json) {
    char* to = reserve(json.size());
    std::memcpy(to, json.data(), json.size());
    grew(to + json.size());
  }
  template <class Integer>
  void number(Integer value) {
    static constexpr std::size_t most = 20;  // digits of 2^64 - 1, or of -2^63 with its sign
    char* to = reserve(most);
    grew(std::to_chars(to, to + most, value).ptr);
  }
  // In quotes, as valid UTF-8: each byte that is no part of a valid sequence (overlong forms,
  // surrogates and code points above U+10FFFF are none) becomes one U+FFFD.
  void string(std::string_view bytes);

 private:
  // Room for so many bytes behind the text, which grew() has to tell the end of.
  char* reserve(std::size_t bytes) {
    if (buffer_.size() - size_ < bytes) {
      buffer_.resize(size_ + bytes);
    }
    return buffer_.data() + size_;
  }
  void grew(const char* end) { size_ = static_cast<std::size_t>(end - buffer_.data()); }

  std::string buffer_;  // all of it is room; the text is its front
  std::size_t size_ = 0;
};

}  // namespace bpftrap
