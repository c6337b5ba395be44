// SPDX-License-Identifier: GPL-2.0-only
// Adds up the exit records of a whole trace by program name, for `--summary`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/field.h"

namespace bpftrap {

// All processes that ended under one name.
struct SummaryRecord {
  BootTime time;          // of the summary
  std::string_view comm;  // of the process when it ended
  std::uint64_t count = 0;
  std::uint64_t failures = 0;  // those with a wait status other than 0
  std::chrono::nanoseconds duration_total{};
  std::chrono::nanoseconds duration_max{};
  CpuTimes cpu{};
  std::uint64_t max_rss_bytes = 0;  // of the largest one, not their sum
};

FieldTable fields_of(const SummaryRecord*);

class Summary {
 public:
  // Stands for the names that there was no room for. No process can be called so: it is longer than
  // the 15 bytes of a comm.
  static constexpr std::string_view others = "(all other names)";

  // A process can rename itself as often as it likes: what comes under a new name after that many
  // is added up as `others`.
  explicit Summary(std::size_t most_names = 65536) : most_names_(most_names) {}

  // Durations and CPU times stop at the largest value that they can hold (292 years).
  void add(const ExitRecord& record);

  bool empty() const { return programs_.empty() && others_.count == 0; }

  // One record a name, by CPU time from most to least, then by name. Their `comm` is good for as
  // long as this object.
  std::vector<SummaryRecord> rows(BootTime now) const;

  // The rows under a header, with a line for the total where there are several, each ended by a
  // line feed. Harmless for a terminal.
  std::string table(bool color) const;

 private:
  std::size_t most_names_;
  // Ordered, since whoever chooses names could choose them to collide in a hash.
  std::map<std::string, SummaryRecord, std::less<>> programs_;
  SummaryRecord others_;
};

}  // namespace bpftrap
