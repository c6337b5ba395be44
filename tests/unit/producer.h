// SPDX-License-Identifier: GPL-2.0-only
// The producer of a ring buffer, in a memfd with the kernel's layout.
#pragma once

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "core/os/unique_fd.h"

namespace bpftrap {

class Producer {
 public:
  explicit Producer(std::size_t size)
      : size_(size),
        page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        fd_(::memfd_create("ring", MFD_CLOEXEC)) {
    EXPECT_EQ(::ftruncate(fd_.get(), static_cast<off_t>(bytes())), 0);
    memory_ = static_cast<char*>(
        ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0));
  }
  ~Producer() { ::munmap(memory_, bytes()); }

  int fd() const { return fd_.get(); }

  // Returns the offset of the header, for a later commit if `flags` contain the busy bit.
  std::size_t put(std::string_view text, std::uint32_t flags = 0) {
    std::size_t at = position() % size_;
    put_header(at, static_cast<std::uint32_t>(text.size()) | flags);
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::size_t in_data = (at + 8 + i) % size_;
      data()[in_data] = data()[in_data + size_] = text[i];
    }
    __atomic_store_n(&position(), position() + 8 + (text.size() + 7) / 8 * 8, __ATOMIC_RELEASE);
    return at;
  }
  bool has_room(std::size_t bytes) { return position() + bytes - consumed() <= size_; }
  void commit(std::size_t at) {
    std::uint32_t length = 0;
    std::memcpy(&length, data() + at, sizeof length);
    put_header(at, length & ~BPF_RINGBUF_BUSY_BIT);
  }
  // Commits atomically while a reader runs. Returns whether the kernel would wake the reader.
  bool commit_and_wake(std::size_t at) {
    auto* header = reinterpret_cast<std::uint32_t*>(data() + at);
    __atomic_fetch_and(header, ~BPF_RINGBUF_BUSY_BIT, __ATOMIC_SEQ_CST);
    return consumed() % size_ == at;
  }
  unsigned long consumed() const {
    return __atomic_load_n(reinterpret_cast<unsigned long*>(memory_), __ATOMIC_ACQUIRE);
  }

 private:
  // The kernel maps the data pages twice in a row. A file must contain them twice.
  std::size_t bytes() const { return 2 * page_ + 2 * size_; }
  void put_header(std::size_t at, std::uint32_t length) {
    std::memcpy(data() + at, &length, sizeof length);
    std::memcpy(data() + at + size_, &length, sizeof length);
  }
  unsigned long& position() { return *reinterpret_cast<unsigned long*>(memory_ + page_); }
  char* data() { return memory_ + 2 * page_; }

  std::size_t size_;
  std::size_t page_;
  UniqueFd fd_;
  char* memory_;
};

}  // namespace bpftrap
