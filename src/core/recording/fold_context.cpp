// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/fold_context.h"

#include <algorithm>

namespace bpftrap {

namespace {

bool begins_with_process(std::uint8_t kind, std::size_t words) {
  return words >= process_end &&
         (kind == BPFTRAP_RECORD_EXEC || kind == BPFTRAP_RECORD_EXIT ||
          kind == BPFTRAP_RECORD_FORK || kind == recorded_last_exec || kind == recorded_birth);
}

}  // namespace

void FoldContext::clear() {
  for (Earlier& earlier : earlier_) {
    std::fill_n(earlier.words.begin(), earlier.used, 0);
    earlier.data.clear();
    earlier.used = 0;
  }
  slot_used_.reset();
  last_process_ = {};
}

FoldContext::Earlier& FoldContext::earlier(std::uint8_t kind, std::size_t words) {
  Earlier& earlier = earlier_[kind];
  if (earlier.words.size() < words) {
    earlier.words.resize(words);
  }
  return earlier;
}

void FoldContext::keep(Earlier& earlier, const bpftrap_record_header& header,
                       std::span<const std::byte> record) {
  std::size_t words = header.fixed / word_size;
  if (earlier.used > words) {
    std::fill_n(earlier.words.begin() + static_cast<std::ptrdiff_t>(words), earlier.used - words,
                0);
  }
  std::memcpy(earlier.words.data(), record.data(), header.fixed);
  earlier.used = words;
  earlier.version = header.version;
  std::span<const std::byte> data = record.subspan(header.fixed);
  data = data.first(std::min(data.size(), prefix_most));
  earlier.data.assign(data.begin(), data.end());
  if (begins_with_process(header.kind, words)) {
    keep_process(record.data());
  }
}

void FoldContext::keep_process(const std::byte* record) {
  std::memcpy(last_process_.data(), record + process_begin * word_size, sizeof last_process_);
  std::uint8_t slot = slot_of(record);
  processes_[slot] = last_process_;
  slot_used_.set(slot);
}

}  // namespace bpftrap
