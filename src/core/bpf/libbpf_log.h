// SPDX-License-Identifier: GPL-2.0-only
// libbpf's messages. Without --verbose only the last warnings are kept: an error prints them as its
// reason.
#pragma once

#include <string>
#include <vector>

namespace bpftrap {

// Installs libbpf's print callback during its lifetime. Only one instance may exist at a time.
class LibbpfLog {
 public:
  // If `verbose`, prints every line on standard error at once, debug messages included.
  explicit LibbpfLog(bool verbose);
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // Returns the last 12 warnings, oldest first, and forgets them. Empty if `verbose`, because those
  // were printed already.
  static std::vector<std::string> take_warnings();
};

}  // namespace bpftrap
