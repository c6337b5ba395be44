// SPDX-License-Identifier: GPL-2.0-only
// Adds up the exit records of a trace by program name, for `--summary`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/record/field.h"

namespace bpftrap {

// All processes that ended under one name.
struct SummaryRecord {
  BootTime time;          // when the summary was made
  std::string_view comm;  // when the process ended
  std::uint64_t count = 0;
  std::uint64_t failures = 0;  // processes with a wait status other than 0
  std::chrono::nanoseconds duration_total{};
  std::chrono::nanoseconds duration_max{};
  CpuTimes cpu{};
  std::uint64_t max_rss_bytes = 0;  // maximum, not the sum
};

FieldTable fields_of(const SummaryRecord*);

class Summary {
 public:
  // Name of the row for all names beyond the limit. It is longer than the 15 bytes of a comm, so no
  // process can have it.
  static constexpr std::string_view others = "(all other names)";

  // Counts names after the first `most_names` as `others`, because a process may rename itself any
  // number of times.
  explicit Summary(std::size_t most_names = 65536) : most_names_(most_names) {}

  // Durations and CPU times saturate at their maximum (292 years).
  void add(const ExitRecord& record);
  // Replaces the CPU time of a process that was added by the final one.
  void amend(const FinalRecord& record);

  bool empty() const { return programs_.empty() && others_.count == 0; }

  // Returns one record per name, by descending CPU time, then by name. Each `comm` is a view into
  // this object.
  std::vector<SummaryRecord> rows(BootTime now) const;

  // Returns the rows below a header, with a total if there are several rows. Each line ends with a
  // line feed. Safe for a terminal.
  std::string table(bool color) const;

 private:
  std::size_t most_names_;
  // Ordered instead of hashed, because a process could choose names whose hashes collide.
  std::map<std::string, SummaryRecord, std::less<>> programs_;
  SummaryRecord others_;
  // Processes that were added and may be amended, at most `most_pending`: a parent may never wait.
  static constexpr std::size_t most_pending = 65536;
  struct Pending {
    SummaryRecord* row;
    CpuTimes cpu;
  };
  std::unordered_map<ProcessId, Pending, ProcessIdHash> pending_;
};

}  // namespace bpftrap
