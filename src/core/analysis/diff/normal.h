// SPDX-License-Identifier: GPL-2.0-only
// Removes from command lines what differs from run to run by chance. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "core/record/record.h"

namespace bpftrap {

// Replaces pids of the recording, mktemp names, UUIDs, 12 or more hex digits, and the run's
// directory, each by a word in angle brackets.
class CommandNormalizer {
 public:
  // `directory`: of the run; empty if there is none.
  explicit CommandNormalizer(std::string_view directory);

  // From here on the number is a pid of the recording.
  void add_pid(Pid pid) { pids_.insert(pid); }

  // `args`: each with a NUL behind it, as the result.
  std::string normalize(std::string_view args) const;

 private:
  // The length of what is replaced at `at`, 0 if it stays. Sets `name`.
  std::size_t replaced(std::string_view args, std::size_t at, std::string_view& name) const;
  bool is_directory(std::string_view args, std::size_t at) const;
  bool is_pid(std::string_view word) const;

  std::string directory_;
  std::unordered_set<Pid> pids_;
};

// Whether two words that were normalised differ by a temporary name only: one of them looked random
// and the other, by chance, did not.
bool differ_by_temporary_name(std::string_view a, std::string_view b);

}  // namespace bpftrap
