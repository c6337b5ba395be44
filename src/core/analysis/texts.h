// SPDX-License-Identifier: GPL-2.0-only
// Stores each text once and numbers it, because a run repeats names, directories and arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/analysis/chunks.h"

namespace bpftrap {

enum class TextId : std::uint32_t {
  none = 0  // no text, which is not the empty text
};

class Texts {
 public:
  // Texts are kept until all take `whole_most` bytes. From then on longer ones than this are left
  // out, and all when they take twice as many. A hostile recording contains any number of them.
  static constexpr std::size_t short_most = 256;

  explicit Texts(std::size_t whole_most = std::size_t{160} << 20);

  // Returns the number of the text, or TextId::none if it is new and there is no room. Equal texts
  // have one number, unless a process chose texts with colliding hashes: then a text may have
  // several.
  TextId add(std::string_view text);
  TextId add_if(const std::optional<std::string_view>& text) {
    return text ? add(*text) : TextId::none;
  }

  // Valid as long as this object. Empty for TextId::none.
  std::string_view operator[](TextId id) const;
  std::optional<std::string_view> get(TextId id) const {
    return id == TextId::none ? std::nullopt : std::optional((*this)[id]);
  }

  std::size_t bytes() const { return bytes_; }
  // No TextId is as large.
  std::size_t size() const { return texts_.size(); }
  bool crowded() const { return bytes_ > whole_most_; }

 private:
  struct Text {
    const char* data = nullptr;
    std::uint32_t size = 0;
    std::uint32_t hash = 0;
  };

  void grow_slots();
  const char* store(std::string_view text);

  std::size_t whole_most_;
  Chunks<Text> texts_;                // by number
  std::vector<std::uint32_t> slots_;  // numbers by hash; 0: free
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;  // in the last block
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace bpftrap
