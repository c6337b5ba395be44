// SPDX-License-Identifier: GPL-2.0-only
// A large file that is read here and there, such as the kernel's BTF.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace bpftrap {

// A file that is read at any offset. What sysfs has is mapped where the kernel can do so (since
// 6.16), for it hands out no more than a page at a time.
class Input {
 public:
  // `fd` stays the caller's.
  explicit Input(int fd);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (map_ != MAP_FAILED) {
      ::munmap(map_, size_);
    }
  }

  // How much there is, at most `size` bytes.
  std::size_t read(void* to, std::size_t size, std::uint64_t at) const;

  // Throws where there is less.
  void read_all(void* to, std::size_t size, std::uint64_t at) const {
    if (read(to, size, at) != size) {
      throw std::runtime_error("is cut short");
    }
  }

  // The same bytes where they are mapped, else null.
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
