// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "core/os/unique_fd.h"

namespace bpftrap {

std::optional<std::string> read_file(const std::string& path, std::size_t most) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return std::nullopt;
  }
  std::string content;
  std::size_t size = 0;
  while (size < most) {
    content.resize(std::min(most, std::max<std::size_t>(4096, size * 2)));
    ssize_t count = ::read(fd.get(), content.data() + size, content.size() - size);
    if (count < 0) {
      return std::nullopt;
    }
    if (count == 0) {
      break;
    }
    size += static_cast<std::size_t>(count);
  }
  content.resize(size);
  return content;
}

}  // namespace bpftrap
