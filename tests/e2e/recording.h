// SPDX-License-Identifier: GPL-2.0-only
// Shared by the tests of `record` and `show`.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"

namespace e2e {

using Words = std::vector<std::string>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline std::uint64_t size_of_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// Waits until the recorder is live: it has written the beginning.
inline void await_recording(const std::string& path) {
  for (int i = 0; i < 60'000; ++i) {
    if (size_of_file(path) > 0) {
      return;
    }
    sleep_for(std::chrono::milliseconds(1));
  }
  throw Failure("the recorder does not begin");
}

}  // namespace e2e
