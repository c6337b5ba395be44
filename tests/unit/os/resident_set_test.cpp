// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/resident_set.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bpftrap {
namespace {

// KiB of resident code and constants of this executable, by the kernel's account.
long resident_kib() {
  const std::string executable = std::filesystem::canonical("/proc/self/exe");
  std::ifstream smaps("/proc/self/smaps");
  bool counted = false;
  long sum = 0;
  for (std::string line; std::getline(smaps, line);) {
    if (std::size_t flags = line.find(' '); line.find('-') < flags) {
      counted = line.ends_with(executable) && line[flags + 2] == '-';
    } else if (counted && line.starts_with("Rss:")) {
      sum += std::stol(line.substr(4));
    }
  }
  return sum;
}

TEST(ResidentSet, ReleasedExecutableIsGoneAndStillRuns) {
  resident_kib();  // so that its own code is resident
  long before = resident_kib();
  ASSERT_GT(before, 0);
  release_executable();
  long after = resident_kib();
  EXPECT_LT(after, before) << "KiB";
}

}  // namespace
}  // namespace bpftrap
