// SPDX-License-Identifier: GPL-2.0-only
#include "core/export/draft.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>

#include "core/os/error.h"

namespace bpftrap {

namespace {

// The directory of an open file; empty if it has no name any more.
std::string directory_of(int file) {
  std::string path(PATH_MAX, '\0');
  ssize_t size =
      ::readlink(fmt::format("/proc/self/fd/{}", file).c_str(), path.data(), path.size());
  path.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return path.starts_with('/') ? path.substr(0, path.rfind('/') + 1) : std::string();
}

}  // namespace

UniqueFd open_draft(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    return UniqueFd();
  }
  std::string directory = directory_of(file);
  return UniqueFd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

void publish_draft(int draft, int file, std::string_view name) {
  auto check = [name](bool good) {
    if (!good) {
      throw Error(fmt::format("cannot write to {}", name), errno);
    }
  };
  check(::ftruncate(file, 0) == 0);
  std::array<char, 65536> block;
  for (off_t at = 0;;) {
    ssize_t size = ::pread(draft, block.data(), block.size(), at);
    check(size >= 0);
    if (size == 0) {
      return;
    }
    for (ssize_t done = 0; done < size;) {
      ssize_t written = ::write(file, block.data() + done, static_cast<std::size_t>(size - done));
      check(written > 0);
      done += written;
    }
    at += size;
  }
}

}  // namespace bpftrap
