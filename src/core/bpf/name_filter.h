// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string_view>

namespace bpftrap {

// Set of names with a fast pre-check: the first two bytes rule out most other strings.
class NameFilter {
 public:
  explicit NameFilter(const std::set<std::string_view>& names) : names_(names) {
    for (std::string_view name : names) {
      seconds_[static_cast<unsigned char>(name[0])] |= bit(name.size() == 1 ? '\0' : name[1]);
    }
  }
  // `text` is NUL-terminated.
  bool may_contain(const char* text) const {
    return (seconds_[static_cast<unsigned char>(text[0])] & bit(text[1])) != 0;
  }
  bool contains(std::string_view text) const { return names_.contains(text); }

 private:
  static std::uint64_t bit(char second) {
    return std::uint64_t{1} << (static_cast<unsigned char>(second) % 64);
  }

  const std::set<std::string_view>& names_;
  std::array<std::uint64_t, 256> seconds_{};
};

}  // namespace bpftrap
