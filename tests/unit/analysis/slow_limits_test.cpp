// SPDX-License-Identifier: GPL-2.0-only
// Large and hostile runs take time near linear in their size: each of these took minutes, or would
// take them in a run ten times as large.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "core/analysis/critical_path.h"
#include "core/analysis/process_slots.h"
#include "core/analysis/slow_report.h"
#include "core/analysis/waits.h"
#include "core/output/json_sink.h"
#include "unit/analysis/made_run.h"

namespace bpftrap {
namespace {

using namespace std::literals;

// CPU time of this process since its construction.
class Stopwatch {
 public:
  double seconds() const {
    return static_cast<double>(std::clock() - begin_) / static_cast<double>(CLOCKS_PER_SEC);
  }

 private:
  std::clock_t begin_ = std::clock();
};

// The time that 8 * `size` takes, per time that `size` takes: 8 if it is linear, 64 if it is
// quadratic. `seconds_of` returns the time of a size. The least of three counts, because other
// programs only add to it.
template <typename SecondsOf>
double growth(int size, SecondsOf seconds_of) {
  double small = std::numeric_limits<double>::max();
  double large = small;
  for (int i = 0; i < 3; ++i) {
    small = std::min(small, seconds_of(size));
    large = std::min(large, seconds_of(8 * size));
  }
  return large / small;
}

// Three times the linear growth: a large run also misses the caches.
constexpr double growth_most = 24;

// Ids that collide in a multiplicative hash of known factor, as an earlier version used it.
double seconds_of_colliding_ids(int count) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15U;
  std::uint64_t inverse = factor;
  for (int i = 0; i < 6; ++i) {
    inverse *= 2 - factor * inverse;
  }
  Chunks<RunProcess> processes;
  ProcessSlots slots;
  Stopwatch watch;
  constexpr std::uint64_t start_most = std::uint64_t{1} << 63U;
  std::size_t added = 0;
  for (std::uint64_t low = 1; added < static_cast<std::size_t>(count); ++low) {
    std::uint64_t key = low * 2654435761U % (std::uint64_t{1} << 32U) * inverse;
    if (key >> 22U < start_most / BPFTRAP_TICK_NS) {
      ProcessId id{static_cast<Pid>(key & 0x3fffffU), (key >> 22U) * BPFTRAP_TICK_NS};
      slots.find_or_add(processes, id);
      ++added;
    }
  }
  EXPECT_EQ(processes.size(), added);
  return watch.seconds();
}

TEST(SlowLimits, CollidingIds) {
  EXPECT_LT(growth(7500, seconds_of_colliding_ids), growth_most);
}

double seconds_of_threads_that_handle_ends(int count) {
  MadeRun made;
  made.add(no_index, 0ms, 1ms * count);
  for (Pid i = 1; i < static_cast<Pid>(count); ++i) {
    Index child = made.add(0, 1us * i, 1ms * i);
    made.at(child).at_birth.tid = 100 + i;
    made.at(child).at_end.tid = 100000 + i;
    made.at(child).at_end.state = 0;
  }
  RecordedRun& run = made.done();
  Stopwatch watch;
  EXPECT_TRUE(awaited_children(run, 0).empty());
  return watch.seconds();
}

TEST(SlowLimits, ManyThreadsThatHandleEnds) {
  EXPECT_LT(growth(7500, seconds_of_threads_that_handle_ends), growth_most);
}

double seconds_of_programs_and_children(int count) {
  MadeRun made;
  made.add(no_index, 0ms, 1ms * count);
  for (int i = 1; i < count; ++i) {
    made.execute(0, 1ms * i, "a");
    made.add(0, 1ms * i + 100us, 1ms * i + 900us);
  }
  RecordedRun& run = made.done();
  Stopwatch watch;
  EXPECT_EQ(critical_path(run, 0).segments.size(), 2U * static_cast<unsigned>(count) - 1);
  std::string out;
  JsonSink sink({out, run.clock});
  write_slow_records(run, 0, sink);
  slow_report(run, 0);
  return watch.seconds();
}

TEST(SlowLimits, ManyProgramsAndChildrenOfOneProcess) {
  EXPECT_LT(growth(2500, seconds_of_programs_and_children), growth_most);
}

// One command of very many words, alone and among siblings.
double seconds_of_words(int count) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  std::string args = "link";
  for (int i = 0; i < count; ++i) {
    args += ' ';
    args += static_cast<char>('a' + i % 26);
    args += std::to_string(i / 26);
  }
  made.execute(0, 1ms, args);
  Stopwatch watch;
  slow_report(made.done(), 0);
  for (int i = 0; i < 8; ++i) {
    made.execute(made.add(0, 1s * i + 10ms, 1s * i + 900ms), 1s * i + 11ms, args + " last");
  }
  made.done();
  slow_report(made.run, 0);
  slow_report(made.run, 0);
  return watch.seconds();
}

TEST(SlowLimits, CommandOfManyWords) {
  EXPECT_LT(growth(1000, seconds_of_words), growth_most);
}

}  // namespace
}  // namespace bpftrap
