// SPDX-License-Identifier: GPL-2.0-only
// When `-- PROGRAM --wait-all` is through: the kernel counts the followed processes, and the stream
// knows which they are where the kernel may have missed an end.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "core/bpf/lost_counter.h"

namespace bpftrap {

class LastDescendant {
 public:
  struct Sources {
    // Processes that are followed and whose end no program has seen: Followed::count().
    std::function<std::uint64_t()> followed;
    // ProcessStream::all_ended()
    std::function<bool()> all_ended;
  };

  LastDescendant(Sources sources, LostCounter lost)
      : sources_(std::move(sources)), lost_(std::move(lost)) {}

  // To be asked again and again, once PROGRAM itself has ended. True only when no descendant lives.
  // Where an end was missed and a birth found no room in the ring buffer, nobody can tell, and it
  // stays false.
  bool has_ended();

 private:
  Sources sources_;
  LostCounter lost_;
};

}  // namespace bpftrap
