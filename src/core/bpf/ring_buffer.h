// SPDX-License-Identifier: GPL-2.0-only
// The consumer's side of a BPF ring buffer: from the kernel's memory to spans of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/os/unique_fd.h"

namespace bpftrap {

// Maps a BPF_MAP_TYPE_RINGBUF as kernel/bpf/ringbuf.c lays it out: one page for the consumer's
// position, one for the producer's, then the data, twice in a row, so that no record is split. The
// kernel puts all pages of a mapping into the page table at once, and all of them count as
// resident: so only a part of the data is mapped, which goes along with the position. What the
// buffer holds then costs no memory twice, and its size none of the reader's.
class RingBuffer {
 public:
  // Bytes of data that are mapped at a time. To move on costs by the page; a quarter of this costs
  // a twentieth more of the time for a record, as each move interrupts other CPUs, and four times
  // as much saves hardly any (docs/performance.md).
  static constexpr std::size_t usual_window = std::size_t{1} << 20;

  // `map_fd` stays the caller's; `size` is the map's max_entries. `window` is a multiple of the
  // page's size, and larger than any record by a page at least. Throws Error.
  RingBuffer(int map_fd, std::size_t size, std::size_t window = usual_window);
  ~RingBuffer();
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;

  // Readable (edge) when a record arrives while the buffer is empty.
  int fd() const { return map_fd_; }

  // Calls `use(std::span<const std::byte>)` for each record that is complete, in order, until it
  // returns false (that record counts as consumed), none is left or `most` were seen. The bytes are
  // valid during the call only. Returns how many were consumed. Throws Error where the kernel does
  // not map the next part of the buffer, for want of memory.
  template <class Use>
  std::size_t consume(Use&& use, std::size_t most = SIZE_MAX);

  // Bytes that wait, those still being written included.
  std::size_t pending() const { return produced() - consumed(); }

  // Bytes that ever were, those still being written included, and how many of them were consumed.
  unsigned long produced() const;
  unsigned long consumed() const { return position_; }

 private:
  // The next complete record, or one without data where there is none. Discarded ones are skipped.
  // Where there is none, the next one that is committed wakes the reader.
  std::span<const std::byte> peek();
  std::span<const std::byte> peek_once();
  void release();
  // Where the `size` bytes at `position_` are, mapped as long as nothing else is asked for.
  const std::byte* at_position(std::size_t size);
  void move_window(std::size_t offset);
  void unmap();

  int map_fd_;
  std::size_t size_;
  std::size_t page_;
  std::size_t window_size_;
  unsigned long* consumer_ = nullptr;
  const unsigned long* producer_ = nullptr;
  const std::byte* window_ = nullptr;
  std::size_t window_begin_ = 0;  // offset in the doubled data
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
