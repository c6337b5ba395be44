// SPDX-License-Identifier: GPL-2.0-only
// The results, and their output: medians and spreads, as Markdown and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bench {

class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }
  // Interpolates linearly. `share` 0 is the minimum, 0.5 the median, 1 the maximum.
  double quantile(double share) const;
  double median() const { return quantile(0.5); }

 private:
  std::vector<double> values_;
};

// A result with a target, or one that is worth knowing.
struct Figure {
  std::string key;   // for --only; unique together with `what`
  std::string what;  // label in the table
  std::string unit;
  std::optional<double> target;  // maximum
  Samples samples;
};

// One program under one workload.
struct Row {
  std::string workload;
  std::string subject;
  Samples wall_ratio;  // the workload's wall time, relative to that without a tracer
  Samples cpu_ratio;   // CPU time of workload and program, relative to the workload alone
  Samples wall;        // in `wall_unit`
  std::string wall_unit;
  Samples tool_ms;           // the program's own CPU time per 1000 processes
  Samples lines;             // output lines per process that name the workload's program
  std::uint64_t missed = 0;  // events for which the kernel skipped its BPF programs
  std::uint64_t lost = 0;    // according to bpftrap
};

struct Report {
  std::vector<Figure> figures;
  std::vector<Row> rows;
  std::vector<std::string> about;  // machine and versions, one sentence each

  // Both functions create the entry at its first use.
  Figure& figure(const std::string& key, const std::string& what, const std::string& unit,
                 std::optional<double> target = std::nullopt);
  Row& row(const std::string& workload, const std::string& subject);
};

std::string to_markdown(const Report& report);
std::string to_json(const Report& report);

}  // namespace bench
