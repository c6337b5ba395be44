// SPDX-License-Identifier: GPL-2.0-only
// Folding: a payload without what its earlier records tell. Each record differs little from the one
// before it of the same kind, or of the same process. docs/recording.md describes the bytes.
//
// Folding costs less than writing the bytes that it saves, and deflate shrinks what is left.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/recording/fold_context.h"

namespace bpftrap {

class Folder {
 public:
  Folder();

  // Appends a record.
  void add(std::span<const std::byte> record);
  // The folded records so far. Valid until the next call.
  std::span<const std::byte> bytes() const { return {out_.data(), size_}; }
  // Begins another payload.
  void clear();

 private:
  // Returns where at least so many bytes may be written.
  std::byte* room(std::size_t size);
  static bool is_foldable(std::span<const std::byte> record, const bpftrap_record_header& header);
  static std::byte* put_shape(std::byte* to, const bpftrap_record_header& header,
                              const FoldContext::Earlier& earlier);
  void add_as_is(std::span<const std::byte> record);

  FoldContext context_;
  std::vector<std::byte> out_;
  std::size_t size_ = 0;
};

class Unfolder {
 public:
  // Fills `out` with the payload. Returns false if `folded` is not one of exactly that size.
  bool unfold(std::span<const std::byte> folded, std::span<std::byte> out);

 private:
  FoldContext context_;
};

}  // namespace bpftrap
