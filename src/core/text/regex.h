// SPDX-License-Identifier: GPL-2.0-only
// A POSIX extended regular expression, by regcomp(3). Copies share the compiled one.
#pragma once

#include <regex.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bpftrap {

class Regex {
 public:
  struct Match {
    std::size_t start;
    std::size_t size;
  };

  // Throws std::invalid_argument (half a sentence) if the expression is empty or malformed.
  explicit Regex(const std::string& expression);

  // Returns the first, longest match at or after byte `from`. `text` may contain NULs. Bytes count
  // as characters, because bpftrap runs in the C locale. Throws std::bad_alloc.
  std::optional<Match> find(std::string_view text, std::size_t from = 0) const;

  bool matches(std::string_view text) const { return find(text).has_value(); }

 private:
  std::shared_ptr<const regex_t> compiled_;
};

}  // namespace bpftrap
