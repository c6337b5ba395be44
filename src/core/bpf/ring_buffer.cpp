// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/ring_buffer.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// BPF_RINGBUF_HDR_SZ: the length with two flag bits, then a page offset that only the kernel uses.
constexpr std::size_t header_size = 8;

template <class T>
T load_acquire(const T* from) {
  return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

constexpr std::size_t round_up(std::size_t size, std::size_t to) {
  return (size + to - 1) & ~(to - 1);
}

void* map(int fd, std::size_t size, int protection, std::size_t offset, void* over = nullptr) {
  const int flags = over == nullptr ? MAP_SHARED : MAP_SHARED | MAP_FIXED;
  void* at = ::mmap(over, size, protection, flags, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) {
    throw Error("cannot map the ring buffer", errno);
  }
  return at;
}

}  // namespace

RingBuffer::RingBuffer(int map_fd, std::size_t size, std::size_t window)
    : map_fd_(map_fd),
      size_(size),
      page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
      window_size_(std::min(window, 2 * size)) {
  consumer_ = static_cast<unsigned long*>(map(map_fd, page_, PROT_READ | PROT_WRITE, 0));
  try {
    producer_ = static_cast<const unsigned long*>(map(map_fd, page_, PROT_READ, page_));
    position_ = load_acquire(consumer_);
    move_window(position_ & (size_ - 1));
  } catch (const Error&) {
    unmap();
    throw;
  }
}

RingBuffer::~RingBuffer() {
  unmap();
}

void RingBuffer::unmap() {
  ::munmap(consumer_, page_);
  if (producer_ != nullptr) {
    ::munmap(const_cast<unsigned long*>(producer_), page_);
  }
  if (window_ != nullptr) {
    ::munmap(const_cast<std::byte*>(window_), window_size_);
  }
}

void RingBuffer::move_window(std::size_t offset) {
  window_begin_ = std::min(offset - offset % page_, 2 * size_ - window_size_);
  // MAP_FIXED replaces the old window with one system call instead of two, and the sandbox allows
  // only this shared mapping (vendor/tools/sandbox_filter.cpp). The old window is gone even if mmap
  // fails.
  void* over = const_cast<std::byte*>(std::exchange(window_, nullptr));
  window_ = static_cast<const std::byte*>(
      map(map_fd_, window_size_, PROT_READ, 2 * page_ + window_begin_, over));
}

const std::byte* RingBuffer::at_position(std::size_t size) {
  const std::size_t offset = position_ & (size_ - 1);
  // A record before the window may be in it as the second copy.
  std::size_t begin = (offset < window_begin_ ? offset + size_ : offset) - window_begin_;
  if (begin + size > window_size_) {
    move_window(offset);
    begin = offset - window_begin_;
    if (begin + size > window_size_) {
      throw Error("the ring buffer has a record that is too large", EMSGSIZE);
    }
  }
  return window_ + begin;
}

std::span<const std::byte> RingBuffer::peek() {
  std::span<const std::byte> record = peek_once();
  if (record.data() == nullptr) {
    // A committing CPU wakes the reader only if it sees that all earlier records are consumed
    // (kernel/bpf/ringbuf.c, bpf_ringbuf_commit()). The reader sleeps only if it sees no committed
    // record. Without a fence, the reader may look before its consumer position is visible. Then
    // both miss each other, and the reader never wakes while the buffer fills up.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    record = peek_once();
  }
  return record;
}

std::span<const std::byte> RingBuffer::peek_once() {
  while (position_ < load_acquire(producer_)) {
    auto* header = reinterpret_cast<const std::uint32_t*>(at_position(header_size));
    std::uint32_t length = load_acquire(header);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) {
      break;
    }
    bool discarded = (length & BPF_RINGBUF_DISCARD_BIT) != 0;
    length &= ~BPF_RINGBUF_DISCARD_BIT;
    next_ = position_ + header_size + round_up(length, 8);
    if (!discarded) {
      return {at_position(header_size + length) + header_size, length};
    }
    release();
  }
  return {};
}

void RingBuffer::release() {
  position_ = next_;
  __atomic_store_n(consumer_, position_, __ATOMIC_RELEASE);
}

unsigned long RingBuffer::produced() const {
  return load_acquire(producer_);
}

}  // namespace bpftrap
