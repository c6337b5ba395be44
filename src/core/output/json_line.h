// SPDX-License-Identifier: GPL-2.0-only
// Builds one line of JSON. All quoting and escaping of JSON is here.
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

  // Appends text that is valid JSON already.
  void raw(std::string_view json) {
    char* to = reserve(json.size());
    std::memcpy(to, json.data(), json.size());
    grew(to + json.size());
  }
  // The same with text of which `padding` bytes can be read: a copy of constant size is no call.
  static constexpr std::size_t padding = 32;
  void raw_padded(const char* json, std::size_t size) {
    if (size > padding) {
      raw({json, size});
      return;
    }
    char* to = reserve(padding);
    std::memcpy(to, json, padding);
    grew(to + size);
  }
  template <class Integer>
  void number(Integer value) {
    static constexpr std::size_t most = 20;  // digits of 2^64 - 1, or of -2^63 with its sign
    char* to = reserve(most);
    grew(std::to_chars(to, to + most, value).ptr);
  }
  // Appends a quoted string as valid UTF-8. Each byte outside a valid sequence becomes one U+FFFD.
  // Overlong forms, surrogates and code points above U+10FFFF are invalid.
  void string(std::string_view bytes);

 private:
  // Returns space for this many bytes after the text. Call grew() with the end of the bytes
  // written.
  char* reserve(std::size_t bytes) {
    if (buffer_.size() - size_ < bytes) {
      buffer_.resize(size_ + bytes);
    }
    return buffer_.data() + size_;
  }
  void grew(const char* end) { size_ = static_cast<std::size_t>(end - buffer_.data()); }

  std::string buffer_;  // all of it is space; the text is at its front
  std::size_t size_ = 0;
};

}  // namespace bpftrap
