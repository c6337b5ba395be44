// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpf/input.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bpftrap {

Input::Input(int fd) : fd_(fd) {
  struct statfs system {};
  struct stat status {};
  if (::fstatfs(fd, &system) == 0 && system.f_type == SYSFS_MAGIC && ::fstat(fd, &status) == 0 &&
      status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    map_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  }
}

std::size_t Input::read(void* to, std::size_t size, std::uint64_t at) const {
  std::size_t done = 0;
  if (const char* from = mapped(size, at)) {
    std::memcpy(to, from, size);
    return size;
  }
  while (done < size) {
    ssize_t count =
        ::pread(fd_, static_cast<char*>(to) + done, size - done, static_cast<off_t>(at + done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace bpftrap
