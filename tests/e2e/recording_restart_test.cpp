// SPDX-License-Identifier: GPL-2.0-only
// A restart of `record --dir`, as after an upgrade: the time without a recorder is short, and
// `show` reports it. Nothing else is missing.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "e2e/child.h"
#include "e2e/recording.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t ms = 1'000'000;

// Runs processes one after the other until it is killed, and appends each to the file.
int run_processes(const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  while (out) {
    Ended process = run_workload({"exit", "5"});
    out.write(reinterpret_cast<const char*>(&process), sizeof process).flush();
  }
  return 1;
}

std::vector<Ended> read_processes(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<Ended> processes;
  Ended process;
  while (in.read(reinterpret_cast<char*>(&process), sizeof process)) {
    processes.push_back(process);
  }
  return processes;
}

// The length in `without a recorder from … to … (261ms)`. 0 if there is none.
std::uint64_t told_pause_ns(const std::string& messages) {
  std::size_t begin = messages.find(": without a recorder from ");
  std::size_t bracket = messages.find('(', begin);
  double length = 0;
  char unit[3] = "";
  if (begin == std::string::npos || bracket == std::string::npos ||
      std::sscanf(messages.c_str() + bracket, "(%lf%2[ms]", &length, unit) != 2) {
    return 0;
  }
  return static_cast<std::uint64_t>(length * (unit[0] == 'm' ? 1e6 : 1e9));
}

class RecordingRestartTest : public TracingTest {
 protected:
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      sum += entry.file_size();
    }
    return sum;
  }

  ScratchDir directory_;
  std::string path_ = directory_ / "recorder";
  const Words record_ = {"record", "--dir", path_, "--keep", "64M"};
};

TEST_F(RecordingRestartTest, LosesNothingButThePauseThatShowReports) {
  std::string file = directory_ / "processes";
  std::uint64_t first_start = boot_ns_now();
  std::uint64_t stopped = 0;
  {
    Bpftrap recorder(record_);
    await_recording(path_ + "/000.bpftrap");
    Child worker([&file] { return run_processes(file); });
    sleep_for(500ms);
    stopped = boot_ns_now();
    EXPECT_EQ(recorder.stop(SIGTERM), 0) << recorder.errors();
    std::uint64_t before = bytes();
    Bpftrap next(record_);
    next.await([&] { return bytes() > before; });
    sleep_for(500ms);
    worker.kill(SIGKILL);
    worker.wait();
    EXPECT_EQ(next.stop(SIGTERM), 0) << next.errors();
  }
  Outcome shown = run_bpftrap({"show", path_, "-j", "--event", "exit"});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  std::vector<std::uint64_t> starts;
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> ends;
  std::istringstream lines(shown.output);
  for (std::string line; std::getline(lines, line);) {
    Record record = Record::parse(line);
    EXPECT_NE(record.kind(), "lost");
    if (record.kind() == "start") {
      starts.push_back(record.number("boot_ns"));
    } else if (record.kind() == "exit") {
      ++ends[{record.number("pid"), to_ticks(record.start_ns())}];
    }
  }
  ASSERT_EQ(starts.size(), 2U);
  std::uint64_t pause = told_pause_ns(shown.errors);
  RecordProperty("pause_ms", std::to_string(pause / ms));
  ASSERT_GT(pause, 0U) << shown.errors;
  // An emulated machine takes longer to start a recorder.
  EXPECT_LT(pause, std::max<std::uint64_t>(1000 * ms, 2 * (starts[0] - first_start)));
  std::uint64_t end = starts[1];
  std::uint64_t begin = end - pause;
  EXPECT_GE(begin, stopped);
  int found = 0;
  for (const Ended& process : read_processes(file)) {
    // The message cuts off digits.
    if (process.after_end + 10 * ms < begin || process.before_fork > end) {
      auto count = ends.find({static_cast<std::uint64_t>(process.pid), process.start_ticks});
      ASSERT_TRUE(count != ends.end())
          << "ended " << process.after_end << ", the pause is from " << begin << " to " << end;
      EXPECT_EQ(count->second, 1);
      ++found;
    }
  }
  EXPECT_GT(found, 20);
}

}  // namespace
}  // namespace e2e
