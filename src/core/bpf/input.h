// SPDX-License-Identifier: GPL-2.0-only
// Random access to a large file, such as the kernel's BTF.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace bpftrap {

// Reads a file at any offset. Maps a sysfs file if the kernel can (since 6.16), because read()
// returns at most one page of it per call.
class Input {
 public:
  // `fd` remains the caller's and must stay open.
  explicit Input(int fd);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (map_ != MAP_FAILED) {
      ::munmap(map_, size_);
    }
  }

  // Reads up to `size` bytes and returns the number read. It is smaller at the end of the file or
  // after an error.
  std::size_t read(void* to, std::size_t size, std::uint64_t at) const;

  // Throws std::runtime_error if fewer than `size` bytes are available.
  void read_all(void* to, std::size_t size, std::uint64_t at) const {
    if (read(to, size, at) != size) {
      throw std::runtime_error("is truncated");
    }
  }

  // Returns the bytes in place if they are mapped, else null.
  const char* mapped(std::size_t size, std::uint64_t at) const {
    return map_ != MAP_FAILED && at <= size_ && size <= size_ - at
               ? static_cast<const char*>(map_) + at
               : nullptr;
  }

 private:
  int fd_;
  void* map_ = MAP_FAILED;
  std::size_t size_ = 0;
};

}  // namespace bpftrap
