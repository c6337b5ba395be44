// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/texts.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace bpftrap {

namespace {

constexpr std::size_t block_size = std::size_t{64} << 10;
constexpr std::size_t first_slots = 1024;
// Slots that a text may be away from that of its hash. Bounds the work for colliding texts.
constexpr std::size_t distance_most = 64;

}  // namespace

Texts::Texts(std::size_t whole_most) : whole_most_(whole_most), slots_(first_slots) {
  texts_.grow();  // TextId::none
}

std::string_view Texts::operator[](TextId id) const {
  const Text& text = texts_[static_cast<std::size_t>(id)];
  return {text.data, text.size};
}

TextId Texts::add(std::string_view text) {
  if (texts_.size() * 2 > slots_.size()) {
    grow_slots();
  }
  auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>()(text));
  std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  std::size_t end = (hash + distance_most) & mask;
  while (slots_[slot] != 0 && slot != end) {
    const Text& known = texts_[slots_[slot]];
    if (known.hash == hash && std::string_view(known.data, known.size) == text) {
      return static_cast<TextId>(slots_[slot]);
    }
    slot = (slot + 1) & mask;
  }
  if (crowded() && (text.size() > short_most || bytes_ > 2 * whole_most_)) {
    return TextId::none;
  }
  auto number = static_cast<std::uint32_t>(texts_.size());
  texts_.grow() = {store(text), static_cast<std::uint32_t>(text.size()), hash};
  slots_[slot] = number;
  return static_cast<TextId>(number);
}

void Texts::grow_slots() {
  slots_.assign(slots_.size() * 2, 0);
  std::size_t mask = slots_.size() - 1;
  for (std::size_t number = 1; number < texts_.size(); ++number) {
    std::size_t slot = texts_[number].hash & mask;
    std::size_t end = (slot + distance_most) & mask;
    while (slots_[slot] != 0 && slot != end) {
      slot = (slot + 1) & mask;
    }
    slots_[slot] = static_cast<std::uint32_t>(number);
  }
}

const char* Texts::store(std::string_view text) {
  if (text.empty()) {
    return "";
  }
  if (text.size() > left_) {
    std::size_t size = std::max(block_size, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    free_ = blocks_.back().get();
    left_ = size;
    bytes_ += size;
  }
  char* stored = free_;
  std::memcpy(stored, text.data(), text.size());
  free_ += text.size();
  left_ -= text.size();
  return stored;
}

}  // namespace bpftrap
