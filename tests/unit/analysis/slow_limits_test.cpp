// SPDX-License-Identifier: GPL-2.0-only
// Large and hostile runs take time near linear in their size: each of these took minutes, or would
// take them in a run ten times as large.
#include <gtest/gtest.h>

#include <ctime>

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

constexpr double seconds_most = 2;

// Ids that collide in a multiplicative hash of known factor, as an earlier version used it.
TEST(SlowLimits, CollidingIds) {
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
  for (std::uint64_t low = 1; added < 60000; ++low) {
    std::uint64_t key = low * 2654435761U % (std::uint64_t{1} << 32U) * inverse;
    if (key >> 22U < start_most / BPFTRAP_TICK_NS) {
      ProcessId id{static_cast<Pid>(key & 0x3fffffU), (key >> 22U) * BPFTRAP_TICK_NS};
      slots.find_or_add(processes, id);
      ++added;
    }
  }
  EXPECT_EQ(processes.size(), added);
  EXPECT_LT(watch.seconds(), seconds_most);
}

TEST(SlowLimits, ManyThreadsThatHandleEnds) {
  constexpr int count = 60000;
  MadeRun made;
  made.add(no_index, 0ms, 1ms * count);
  for (Pid i = 1; i < count; ++i) {
    Index child = made.add(0, 1us * i, 1ms * i);
    made.at(child).at_birth.tid = 100 + i;
    made.at(child).at_end.tid = 100000 + i;
    made.at(child).at_end.state = 0;
  }
  RecordedRun& run = made.done();
  Stopwatch watch;
  EXPECT_TRUE(awaited_children(run, 0).empty());
  EXPECT_LT(watch.seconds(), seconds_most);
}

TEST(SlowLimits, ManyProgramsAndChildrenOfOneProcess) {
  constexpr int count = 40000;
  MadeRun made;
  made.add(no_index, 0ms, 1ms * count);
  for (int i = 1; i < count; ++i) {
    made.execute(0, 1ms * i, "a");
    made.add(0, 1ms * i + 100us, 1ms * i + 900us);
  }
  RecordedRun& run = made.done();
  Stopwatch watch;
  EXPECT_EQ(critical_path(run, 0).segments.size(), 2U * count - 1);
  std::string out;
  JsonSink sink({out, run.clock});
  write_slow_records(run, 0, sink);
  slow_report(run, 0);
  EXPECT_LT(watch.seconds(), seconds_most);
}

// One command of very many words, alone and among siblings.
TEST(SlowLimits, CommandOfManyWords) {
  MadeRun made;
  made.add(no_index, 0ms, 10s);
  std::string args = "link";
  for (int i = 0; i < 8000; ++i) {
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
  EXPECT_LT(watch.seconds(), seconds_most);
}

}  // namespace
}  // namespace bpftrap
