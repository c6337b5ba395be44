// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstring>
#include <optional>

#include "core/recording/fold.h"

namespace bpftrap {

namespace {

using Bytes = std::span<const std::byte>;

// Reads folded bytes. After a read beyond the end, `bad` is true.
class In {
 public:
  explicit In(Bytes bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  bool bad() const { return bad_; }

  std::uint8_t byte() {
    Bytes one = take(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  std::size_t number() {
    std::size_t number = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      std::uint8_t part = byte();
      number |= std::size_t{part & 0x7fU} << shift;
      if (part < 0x80) {
        return number;
      }
    }
    bad_ = true;
    return 0;
  }
  Bytes take(std::size_t size) {
    if (size > bytes_.size()) {
      bad_ = true;
      bytes_ = {};
      return {};
    }
    Bytes taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  // The difference of a word to its prediction.
  std::uint64_t change() {
    std::uint8_t form = byte();
    unsigned low = form / 8;
    unsigned count = form % 8 + 1;
    std::uint64_t change = 0;
    if (bytes_.size() >= sizeof change) {
      change = load_word(bytes_.data()) & (~std::uint64_t{0} >> (64 - 8 * count));
      bytes_ = bytes_.subspan(count);
    } else {
      Bytes part = take(count);
      std::copy(part.begin(), part.end(), std::as_writable_bytes(std::span(&change, 1)).begin());
    }
    bad_ = bad_ || low >= word_size;
    return low < word_size ? change << (8 * low) : 0;
  }

 private:
  Bytes bytes_;
  bool bad_ = false;
};

// Puts records into the payload.
class Out {
 public:
  explicit Out(std::span<std::byte> bytes) : bytes_(bytes) {}

  bool full() const { return bytes_.empty(); }
  // Returns the room for a record of this size, null if the payload is too short.
  std::byte* record(std::size_t size) {
    std::uint32_t length = static_cast<std::uint32_t>(size);
    if (size + sizeof length > bytes_.size()) {
      return nullptr;
    }
    std::memcpy(bytes_.data(), &length, sizeof length);
    std::byte* begin = bytes_.data() + sizeof length;
    bytes_ = bytes_.subspan(sizeof length + size);
    return begin;
  }

 private:
  std::span<std::byte> bytes_;
};

// Writes the words from `first` on, with the changes that the mask announces.
void get_words(In& in, Bytes mask, const std::uint64_t* predicted, std::size_t first,
               std::size_t end, std::byte* record) {
  for (std::size_t i = first; i < end; ++i) {
    std::uint64_t word = *predicted++;
    if ((mask[(i - 1) / 8] >> ((i - 1) % 8) & std::byte{1}) != std::byte{0}) {
      word ^= in.change();
    }
    std::memcpy(record + i * word_size, &word, sizeof word);
  }
}

bool unfold_as_is(In& in, Out& out) {
  Bytes bytes = in.take(in.number());
  std::byte* record = in.bad() ? nullptr : out.record(bytes.size());
  if (record == nullptr) {
    return false;
  }
  std::copy(bytes.begin(), bytes.end(), record);
  return true;
}

// The size of a record and of its parts.
struct Shape {
  std::uint8_t kind = 0;
  std::uint8_t version = 0;
  std::size_t words = 0;
  std::size_t data = 0;

  std::size_t size() const { return words * word_size + data; }
};

// Reads what precedes the mask. Nullopt if it is malformed.
std::optional<Shape> get_shape(In& in, std::uint8_t kind, const FoldContext& context) {
  Shape shape{.kind = static_cast<std::uint8_t>(kind & ~fold_has_shape)};
  if ((kind & fold_has_shape) != 0) {
    shape.version = in.byte();
    shape.words = in.byte();
    shape.words |= std::size_t{in.byte()} << 8;
  } else {
    shape.version = context.earlier(shape.kind).version;
    shape.words = context.earlier(shape.kind).used;
  }
  shape.data = in.number();
  bool valid = !in.bad() && shape.kind != fold_as_is && shape.words >= header_words &&
               shape.words <= FoldContext::words_most;
  return valid ? std::optional(shape) : std::nullopt;
}

bpftrap_record_header header_of(const Shape& shape) {
  bpftrap_record_header header{};
  header.size = static_cast<std::uint32_t>(shape.size());
  header.fixed = static_cast<std::uint16_t>(shape.words * word_size);
  header.version = shape.version;
  header.kind = shape.kind;
  return header;
}

bool unfold_record(In& in, std::uint8_t kind, Out& out, FoldContext& context) {
  std::optional<Shape> shape = get_shape(in, kind, context);
  std::byte* record = shape ? out.record(shape->size()) : nullptr;
  if (record == nullptr) {
    return false;
  }
  bpftrap_record_header header = header_of(*shape);
  std::memcpy(record, &header, word_size);
  std::size_t words = shape->words;
  FoldContext::Earlier& earlier = context.earlier(shape->kind, words);
  bool slot = has_slot(shape->kind, words);
  const FoldContext::ProcessWords* process = slot ? &context.process(in.byte()) : nullptr;
  Bytes mask = in.take(mask_size(words));
  if (in.bad()) {
    return false;
  }
  const std::uint64_t* predicted = earlier.words.data();
  if (process != nullptr) {
    get_words(in, mask, predicted + 1, 1, process_begin, record);
    get_words(in, mask, process->data(), process_begin, process_end, record);
    get_words(in, mask, predicted + process_end, process_end, words, record);
  } else {
    get_words(in, mask, predicted + 1, 1, words, record);
  }
  std::byte* data = record + words * word_size;
  if (shape->data > 0) {
    std::size_t prefix = in.number();
    if (prefix > earlier.data.size() || prefix > shape->data) {
      return false;
    }
    Bytes rest = in.take(shape->data - prefix);
    std::copy_n(earlier.data.data(), prefix, data);
    std::copy(rest.begin(), rest.end(), data + prefix);
  }
  context.keep(earlier, header, {record, shape->size()});
  return !in.bad();
}

}  // namespace

bool Unfolder::unfold(Bytes folded, std::span<std::byte> payload) {
  context_.clear();
  In in(folded);
  Out out(payload);
  while (!in.empty()) {
    std::uint8_t kind = in.byte();
    if (!(kind == fold_as_is ? unfold_as_is(in, out) : unfold_record(in, kind, out, context_))) {
      return false;
    }
  }
  return out.full();
}

}  // namespace bpftrap
