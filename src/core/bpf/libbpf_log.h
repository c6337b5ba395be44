// SPDX-License-Identifier: GPL-2.0-only
// What libbpf says. Without --verbose it is only kept, so that the last lines can stand under an
// error as its reason.
#pragma once

#include <string>
#include <vector>

namespace bpftrap {

// Installs libbpf's print callback for as long as it lives; there is one at a time.
class LibbpfLog {
 public:
  // `verbose`: every line, debug ones too, goes to standard error at once.
  explicit LibbpfLog(bool verbose);
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // The last warnings, oldest first; empty with `verbose`, where they were shown already. Forgets
  // them.
  static std::vector<std::string> take_warnings();
};

}  // namespace bpftrap
