// SPDX-License-Identifier: GPL-2.0-only
// How many processes of a tree ran, or wanted to run, over time.
#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/analysis/run.h"

namespace bpftrap {

// The process and all its descendants, each after its parent.
std::vector<Index> descendants(const RecordedRun& run, Index root);

class Parallelism {
 public:
  // `members`: of the tree. The time from `begin` to `end` is divided into many equal parts.
  Parallelism(const RecordedRun& run, const std::vector<Index>& members, BootTime begin,
              BootTime end);

  // The share of time in which so many processes ran or waited for a CPU. The last element is the
  // share of as many or more.
  std::vector<double> shares(std::size_t most) const;

  // CPUs of so many that the processes would have used on average without other work.
  double wanted(double cpus) const;

  struct Stretch {
    BootTime begin;
    BootTime end;
    double running = 0;  // on average

    std::chrono::nanoseconds duration() const { return end - begin; }
  };
  // The process that ran most between both moments.
  static Index busiest(const RecordedRun& run, const std::vector<Index>& members, BootTime begin,
                       BootTime end);

  // Times of at least this length in which no more than one process ran, the longest first.
  std::vector<Stretch> serial_stretches(std::chrono::nanoseconds least) const;

 private:
  void add_process(const RecordedRun& run, Index process);
  // `time` of CPU and waiting between both moments.
  void add(BootTime begin, BootTime end, std::chrono::nanoseconds time);
  BootTime begin_of(std::size_t part) const;
  std::size_t running_in(std::size_t part) const {
    return static_cast<std::size_t>(std::lround(running_[part]));
  }

  BootTime begin_;
  BootTime end_;
  double width_ = 1;             // nanoseconds of a part
  std::vector<double> running_;  // processes in each part
  std::vector<double> steps_;    // change of `running_` from part to part
};

}  // namespace bpftrap
