// SPDX-License-Identifier: GPL-2.0-only
// Parts of a text, such as the lines and fields of a file of /proc.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace bpftrap {

// Views into `text`. A separator at its end adds no empty part.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

inline bool contains(const std::vector<std::string_view>& parts, std::string_view wanted) {
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

}  // namespace bpftrap
