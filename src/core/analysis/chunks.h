// SPDX-License-Identifier: GPL-2.0-only
// An array that grows without moving its elements, so that growth needs no second copy in memory.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "core/os/error.h"

namespace bpftrap {

template <class T>
class Chunks {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  T& operator[](std::size_t index) { return chunks_[index / per_chunk][index % per_chunk]; }
  const T& operator[](std::size_t index) const {
    return chunks_[index / per_chunk][index % per_chunk];
  }

  // Adds an element with its default value. Throws Error if there are too many: a hostile recording
  // of a few megabytes can claim any number.
  T& grow() {
    if (size_ >= most) {
      throw Error(fmt::format("the recording has more than {} processes or programs", most), 0);
    }
    if (size_ % per_chunk == 0) {
      chunks_.push_back(std::make_unique<T[]>(per_chunk));
    }
    return (*this)[size_++];
  }

 private:
  static constexpr std::size_t per_chunk = 1024;
  static constexpr std::size_t most = 8'000'000;

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace bpftrap
