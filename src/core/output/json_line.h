// SPDX-License-Identifier: GPL-2.0-only
// A line of JSON while it grows. What RapidJSON would write, letter by letter and some thirty times
// a record, is copied here: keys and escapes are its work, done once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

class JsonLine {
 public:
  // The keys of an object as they stand before its values: `{"event":`, `,"ts":` and so on.
  static std::vector<std::string> keys(std::span<const std::string_view> names);

  std::string_view text() const { return {buffer_.data(), size_}; }
  void clear() { size_ = 0; }

  // JSON already.
  void raw(std::string_view json) {
    char* to = reserve(json.size());
    std::memcpy(to, json.data(), json.size());
    grew(to + json.size());
  }
  void number(std::uint64_t value);
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
