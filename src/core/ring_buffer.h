// SPDX-License-Identifier: GPL-2.0-only
// The consumer's side of a BPF ring buffer: from the kernel's memory to spans of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/unique_fd.h"

namespace bpftrap {

// Maps a BPF_MAP_TYPE_RINGBUF as kernel/bpf/ringbuf.c lays it out: one page for the consumer's
// position, one for the producer's, then the data. libbpf's ring_buffer maps the data twice so that
// no record is split; here it is mapped once, which halves the resident size, and a record at the
// end is copied together.
class RingBuffer {
 public:
  // `map_fd` stays the caller's; `size` is the map's max_entries. Throws Error.
  RingBuffer(int map_fd, std::size_t size);
  ~RingBuffer();
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;

  // Readable (edge) when a record arrives while the buffer is empty.
  int fd() const { return map_fd_; }

  // Calls `use(std::span<const std::byte>)` for each record that is complete, in order, until it
  // returns false (that record counts as consumed), none is left or `most` were seen. The bytes are
  // valid during the call only. Returns how many were consumed.
  template <class Use>
  std::size_t consume(Use&& use, std::size_t most = SIZE_MAX);

  // Bytes that wait, those still being written included.
  std::size_t pending() const;

 private:
  // The next complete record, or one without data where there is none. Discarded ones are skipped.
  std::span<const std::byte> peek();
  void release();

  int map_fd_;
  std::size_t size_;
  std::size_t page_;
  unsigned long* consumer_ = nullptr;
  const unsigned long* producer_ = nullptr;
  const std::byte* data_ = nullptr;
  std::vector<std::byte> joined_;
  unsigned long position_ = 0;
  unsigned long next_ = 0;
};

template <class Use>
std::size_t RingBuffer::consume(Use&& use, std::size_t most) {
  std::size_t count = 0;
  while (count < most) {
    std::span<const std::byte> record = peek();
    if (record.data() == nullptr) {
      break;
    }
    bool more = use(record);
    ++count;
    release();
    if (!more) {
      break;
    }
  }
  return count;
}

}  // namespace bpftrap
