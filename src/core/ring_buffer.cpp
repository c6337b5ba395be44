// SPDX-License-Identifier: GPL-2.0-only
#include "core/ring_buffer.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace bpftrap {

namespace {

// BPF_RINGBUF_HDR_SZ: the length with two flag bits, and a page offset that only the kernel uses.
constexpr std::size_t header_size = 8;

template <class T>
T load_acquire(const T* from) {
  return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

constexpr std::size_t round_up_8(std::size_t size) {
  return (size + 7) & ~std::size_t{7};
}

}  // namespace

RingBuffer::RingBuffer(int map_fd, std::size_t size)
    : map_fd_(map_fd), size_(size), page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
  void* consumer = ::mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) {
    throw Error("cannot map the ring buffer", errno);
  }
  consumer_ = static_cast<unsigned long*>(consumer);
  void* producer =
      ::mmap(nullptr, page_ + size_, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page_));
  if (producer == MAP_FAILED) {
    int err = errno;
    ::munmap(consumer, page_);
    throw Error("cannot map the ring buffer", err, "a smaller --buffer-size may fit");
  }
  producer_ = static_cast<const unsigned long*>(producer);
  data_ = static_cast<const std::byte*>(producer) + page_;
  position_ = load_acquire(consumer_);
}

RingBuffer::~RingBuffer() {
  ::munmap(const_cast<unsigned long*>(producer_), page_ + size_);
  ::munmap(consumer_, page_);
}

std::span<const std::byte> RingBuffer::peek() {
  while (position_ < load_acquire(producer_)) {
    std::size_t offset = position_ & (size_ - 1);
    // Headers are 8-aligned, so they are never split.
    auto* header = reinterpret_cast<const std::uint32_t*>(data_ + offset);
    std::uint32_t length = load_acquire(header);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) {
      break;
    }
    bool discarded = (length & BPF_RINGBUF_DISCARD_BIT) != 0;
    length &= ~BPF_RINGBUF_DISCARD_BIT;
    next_ = position_ + header_size + round_up_8(length);
    if (discarded) {
      release();
      continue;
    }
    std::size_t begin = offset + header_size;
    if (begin + length <= size_) {
      return {data_ + begin, length};
    }
    // Over the end: the rest is at the beginning.
    std::size_t first = begin < size_ ? size_ - begin : 0;
    joined_.resize(length);
    std::memcpy(joined_.data(), data_ + begin, first);
    std::memcpy(joined_.data() + first, data_ + (begin + first - size_), length - first);
    return joined_;
  }
  return {};
}

void RingBuffer::release() {
  position_ = next_;
  __atomic_store_n(consumer_, position_, __ATOMIC_RELEASE);
}

std::size_t RingBuffer::pending() const {
  return load_acquire(producer_) - position_;
}

}  // namespace bpftrap
