// SPDX-License-Identifier: GPL-2.0-only
// Shared by folding and unfolding: the form of a record, and the earlier records of a batch.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "bpf/process.event.h"
#include "core/recording/format.h"

namespace bpftrap {

// Instead of a kind: the record follows as it is.
inline constexpr std::uint8_t fold_as_is = 0;
// In the byte of the kind: the shape of the record follows.
inline constexpr std::uint8_t fold_has_shape = 0x80;

// Records are compared in words of 8 bytes.
inline constexpr std::size_t word_size = 8;
inline constexpr std::size_t header_words = sizeof(bpftrap_record_header) / word_size;
// The words of bpftrap_process in a record.
inline constexpr std::size_t process_words = sizeof(bpftrap_process) / word_size;
inline constexpr std::size_t process_begin = offsetof(bpftrap_exec_event, process) / word_size;
inline constexpr std::size_t process_end = process_begin + process_words;
static_assert(offsetof(bpftrap_exit_event, process) == process_begin * word_size);
static_assert(offsetof(bpftrap_fork_event, process) == process_begin * word_size);

inline std::uint64_t load_word(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Returns the number of bytes of a mask with a bit for each word behind the first.
inline std::size_t mask_size(std::size_t words) {
  return (words - 1 + 7) / 8;
}

// True if a slot predicts the process in the record. A fork resembles the last fork more than an
// earlier record of the child.
inline bool has_slot(std::uint8_t kind, std::size_t words) {
  return words >= process_end &&
         (kind == BPFTRAP_RECORD_EXEC || kind == BPFTRAP_RECORD_EXIT || kind == recorded_last_exec);
}

inline std::uint8_t slot_of(const std::byte* record) {
  return static_cast<std::uint8_t>(record[offsetof(bpftrap_exec_event, process.pid)]);
}

// The earlier records of a batch, which predict later ones. Its writer and its reader keep the
// same.
class FoldContext {
 public:
  static constexpr std::size_t words_most = 512;
  static constexpr std::size_t kinds = 128;
  static constexpr std::size_t prefix_most = 4096;  // of the data of an earlier record
  static constexpr std::size_t slots = 256;         // for processes, by the lowest byte of the pid

  using ProcessWords = std::array<std::uint64_t, process_words>;
  struct Earlier {
    std::vector<std::uint64_t> words;
    std::vector<std::byte> data;  // its beginning
    std::size_t used = 0;         // of `words`; the others are 0
    std::uint8_t version = 0;
  };

  void clear();

  // The last record of a kind. It has at least so many words.
  Earlier& earlier(std::uint8_t kind, std::size_t words);
  const Earlier& earlier(std::uint8_t kind) const { return earlier_[kind]; }
  // The process that this slot predicts.
  const ProcessWords& process(std::uint8_t slot) const {
    return slot_used_[slot] ? processes_[slot] : last_process_;
  }
  // Keeps a whole record in place of the earlier one.
  void keep(Earlier& earlier, const bpftrap_record_header& header,
            std::span<const std::byte> record);

 private:
  void keep_process(const std::byte* record);

  std::array<Earlier, kinds> earlier_;
  std::array<ProcessWords, slots> processes_;
  std::bitset<slots> slot_used_;
  ProcessWords last_process_{};
};

}  // namespace bpftrap
