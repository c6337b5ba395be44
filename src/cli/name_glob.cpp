// SPDX-License-Identifier: GPL-2.0-only
#include "cli/name_glob.h"

#include <fmt/format.h>

#include <bitset>
#include <stdexcept>

namespace bpftrap {

namespace {

using Bytes = std::bitset<256>;

constexpr unsigned positions_most = 64;

[[noreturn]] void refuse(const char* why) {
  throw std::invalid_argument(std::string(why) +
                              "; expected a name with *, ?, [a-z], [!a-z], and \\ before these");
}

class Compiler {
 public:
  explicit Compiler(unsigned bytes_most) : bytes_most_(bytes_most) {}

  void add(std::string_view glob) {
    if (glob.empty()) {
      refuse("is empty");
    }
    if (next_ == positions_most) {
      refuse_number();
    }
    globs_.starts |= bit(next_);
    const std::string_view whole = glob;
    unsigned bytes_needed = 0;
    bool has_star = false;
    for (bool after_star = false; !glob.empty();) {
      char c = glob.front();
      if (c == '*') {
        glob.remove_prefix(1);
        if (!after_star) {
          globs_.stars |= bit(advance());
        }
        after_star = has_star = true;
        continue;
      }
      after_star = false;
      if (++bytes_needed > bytes_most_) {
        refuse_length(has_star ? "" : whole.substr(0, whole.size() - glob.size()));
      }
      Bytes bytes = take_element(glob);
      std::uint64_t position = bit(advance());
      for (std::size_t byte = 1; byte < 256; ++byte) {
        globs_.masks[byte] |= bytes[byte] ? position : 0;
      }
    }
    globs_.accepts |= bit(advance());
  }

  const bpftrap_globs& result() const { return globs_; }

 private:
  static std::uint64_t bit(unsigned position) { return std::uint64_t{1} << position; }

  unsigned advance() {
    if (next_ == positions_most) {
      refuse_number();
    }
    return next_++;
  }

  [[noreturn]] static void refuse_number() {
    throw std::invalid_argument("is one too many; expected fewer or shorter patterns");
  }

  // The kernel truncates names, so suggest the truncated pattern `cut`.
  [[noreturn]] void refuse_length(std::string_view cut) const {
    std::string advice = cut.empty() ? "a shorter pattern" : "'" + std::string(cut) + "'";
    throw std::invalid_argument(
        fmt::format("needs more than the maximum of {} bytes; expected {}", bytes_most_, advice));
  }

  static std::size_t index(char c) { return static_cast<unsigned char>(c); }

  // Removes the next element, which matches one byte, and returns the bytes that it matches.
  static Bytes take_element(std::string_view& glob) {
    Bytes bytes;
    char c = glob.front();
    glob.remove_prefix(1);
    if (c == '?') {
      return bytes.set();
    }
    if (c == '[') {
      return take_set(glob);
    }
    if (c == '\\') {
      if (glob.empty()) {
        refuse("ends with a backslash");
      }
      c = glob.front();
      glob.remove_prefix(1);
    }
    return bytes.set(index(c));
  }

  static Bytes take_set(std::string_view& glob) {
    Bytes bytes;
    bool negated = !glob.empty() && (glob.front() == '!' || glob.front() == '^');
    glob.remove_prefix(negated ? 1 : 0);
    for (bool first = true;; first = false) {
      if (glob.empty()) {
        refuse("has a [ without ]");
      }
      char low = glob.front();
      glob.remove_prefix(1);
      if (low == ']' && !first) {
        break;
      }
      char high = low;
      if (glob.size() >= 2 && glob[0] == '-' && glob[1] != ']') {
        high = glob[1];
        glob.remove_prefix(2);
      }
      if (index(low) > index(high)) {
        refuse("has a reversed range");
      }
      for (std::size_t byte = index(low); byte <= index(high); ++byte) {
        bytes.set(byte);
      }
    }
    return negated ? ~bytes : bytes;
  }

  unsigned bytes_most_;
  bpftrap_globs globs_{};
  unsigned next_ = 0;
};

}  // namespace

bpftrap_globs compile_globs(const std::vector<std::string>& globs, unsigned bytes_most) {
  Compiler compiler(bytes_most);
  for (const std::string& glob : globs) {
    compiler.add(glob);
  }
  return compiler.result();
}

bool globs_match(const bpftrap_globs& globs, std::string_view name) {
  auto through_stars = [&](std::uint64_t at) { return at | ((at & globs.stars) << 1); };
  std::uint64_t at = through_stars(globs.starts);
  for (char c : name) {
    auto byte = static_cast<unsigned char>(c);
    at = through_stars(((at & globs.masks[byte]) << 1) | (at & globs.stars));
  }
  return (at & globs.accepts) != 0;
}

}  // namespace bpftrap
