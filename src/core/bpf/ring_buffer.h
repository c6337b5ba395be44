// SPDX-License-Identifier: GPL-2.0-only
// Consumer side of a BPF ring buffer: yields each record as a span of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/os/unique_fd.h"

namespace bpftrap {

// Maps a BPF_MAP_TYPE_RINGBUF as kernel/bpf/ringbuf.c lays it out: one page for each position
// (consumer, producer), then the data twice in a row. The second copy makes every record
// contiguous. The kernel populates a mapping at once, and all of its pages count as resident.
// Therefore only a window of the data is mapped, and it moves along with the position. The reader's
// memory use does not depend on the size of the buffer.
class RingBuffer {
 public:
  // Bytes of data mapped at a time. Moving the window costs time per page, and each move interrupts
  // other CPUs. A quarter of this size makes a record 5 % slower; four times the size saves hardly
  // anything (docs/performance.md).
  static constexpr std::size_t usual_window = std::size_t{1} << 20;

  // `map_fd` remains the caller's. `size` is the map's max_entries in bytes. `window` is a multiple
  // of the page size, and at least a page larger than any record. Throws Error if mmap fails.
  RingBuffer(int map_fd, std::size_t size, std::size_t window = usual_window);
  ~RingBuffer();
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;

  // Becomes readable (edge-triggered) when a record arrives in an empty buffer.
  int fd() const { return map_fd_; }

  // Calls `use(std::span<const std::byte>)` for each complete record, in order. Stops after `most`
  // records, or when none is left, or when `use` returns false; that record counts as consumed. The
  // bytes are valid during the call only. Returns the number of consumed records. Throws Error if
  // the kernel lacks memory to map the next window.
  template <class Use>
  std::size_t consume(Use&& use, std::size_t most = SIZE_MAX);

  // Bytes not consumed yet, including records still being written.
  std::size_t pending() const { return produced() - consumed(); }

  // Total bytes so far: produced (including records still being written) and consumed.
  unsigned long produced() const;
  unsigned long consumed() const { return position_; }

 private:
  // Returns the next complete record, or an empty span with null data. Skips discarded records. If
  // there is none, the next commit is guaranteed to wake the reader.
  std::span<const std::byte> peek();
  std::span<const std::byte> peek_once();
  void release();
  // Maps the `size` bytes at `position_`. The result is valid until the next call.
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
