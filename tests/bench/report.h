// SPDX-License-Identifier: GPL-2.0-only
// What was measured, and how it is shown: medians and spreads, as Markdown and as JSON.
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
  // By linear interpolation; `share` 0 is the least, 0.5 the median, 1 the greatest.
  double quantile(double share) const;
  double median() const { return quantile(0.5); }

 private:
  std::vector<double> values_;
};

// One number that there is a target for, or that is worth knowing.
struct Figure {
  std::string key;   // of --only, and unique together with `what`
  std::string what;  // a line of the table
  std::string unit;
  std::optional<double> target;  // at most
  Samples samples;
};

// One program during one workload.
struct Row {
  std::string workload;
  std::string subject;
  Samples wall_ratio;  // of the workload's wall time to that without a tracer
  Samples cpu_ratio;   // of the CPU time of workload and program to the workload's alone
  Samples wall;        // in `wall_unit`
  std::string wall_unit;
  Samples tool_ms;           // the program's own CPU time per 1000 processes
  Samples lines;             // of output that name the workload's program, a process
  std::uint64_t missed = 0;  // events that its BPF programs were left out for
  std::uint64_t lost = 0;    // by bpftrap's own account
};

struct Report {
  std::vector<Figure> figures;
  std::vector<Row> rows;
  std::vector<std::string> about;  // machine, versions: a sentence each

  // Both are created at their first use.
  Figure& figure(const std::string& key, const std::string& what, const std::string& unit,
                 std::optional<double> target = std::nullopt);
  Row& row(const std::string& workload, const std::string& subject);
};

std::string to_markdown(const Report& report);
std::string to_json(const Report& report);

}  // namespace bench
