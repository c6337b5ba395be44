// SPDX-License-Identifier: GPL-2.0-only
// The end of the stream, its destination, and its completeness.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using StreamEndTest = TracingTest;

// Traces this process, which neither executes nor ends, so there are no events.
std::vector<std::string> quiet_exec() {
  return {"exec", "--json", "--pid", std::to_string(::getpid())};
}

TEST_F(StreamEndTest, SignalsEndItWithStatus0AndStop) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Bpftrap bpftrap({"exec", "--json"});
    bpftrap.await_start();
    Ended process = run_workload({"nothing"});
    EXPECT_EQ(bpftrap.stop(signal), 0) << signal;
    EXPECT_EQ(bpftrap.records_of(process).size(), 2U) << signal;
    EXPECT_EQ(bpftrap.errors(), "") << signal;
  }
}

TEST_F(StreamEndTest, CountEndsItAfterSoManyRecords) {
  Bpftrap bpftrap({"exec", "--json", "--count", "3"});
  bpftrap.await_start();
  run_workload({"nothing"});
  run_workload({"nothing"});
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.records().back().number("records"), 3U);
  EXPECT_EQ(bpftrap.records().size(), 5U);
}

TEST_F(StreamEndTest, TimeoutEndsIt) {
  std::vector<std::string> args = quiet_exec();
  args.insert(args.end(), {"--timeout", "300ms"});
  Bpftrap bpftrap(args);
  bpftrap.await_start();
  std::uint64_t live = bpftrap.records().front().number("boot_ns");
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_GE(boot_ns_now() - live, 280'000'000U);
  EXPECT_LE(boot_ns_now() - live, 5'000'000'000U);
}

TEST_F(StreamEndTest, ReaderThatGoesAwayEndsItWithinASecond) {
  Bpftrap bpftrap(quiet_exec());
  bpftrap.await_start();
  std::uint64_t gone = boot_ns_now();
  bpftrap.close_reader();
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_LE(boot_ns_now() - gone, 1'000'000'000U);
  EXPECT_EQ(bpftrap.errors(), "");
}

TEST_F(StreamEndTest, FullDiskIsStatus1AndOneMessage) {
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) {
    GTEST_SKIP() << "no /dev/full";
  }
  Bpftrap::Setup setup;
  setup.stdout_fd = full;
  Outcome outcome = run_bpftrap({"exec", "--json", "--timeout", "10"}, setup);
  ::close(full);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors.rfind("bpftrap: cannot write to standard output: No space left", 0), 0U)
      << outcome.errors;
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
}

TEST_F(StreamEndTest, OutputGoesIntoAFileOfItsOwn) {
  ScratchDir scratch;
  std::string path = scratch / "records";
  Bpftrap bpftrap({"exec", "--json", "--output", path, "--pid", std::to_string(::getpid()),
                   "--timeout", "100ms"});
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.output(), "");
  std::ifstream file(path);
  std::string start;
  std::string stop;
  std::getline(file, start);
  std::getline(file, stop);
  EXPECT_EQ(Record::parse(start).kind(), "start");
  EXPECT_EQ(Record::parse(stop).kind(), "stop");
  EXPECT_EQ(file.peek(), EOF);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(StreamEndTest, OutputReplacesWhatAFileHeld) {
  ScratchDir scratch;
  std::string path = scratch / "records";
  std::ofstream(path) << std::string(100'000, 'x');
  EXPECT_EQ(run_bpftrap({"exec", "--output", path, "--timeout", "1ms"}).status, 0);
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(text.find("xxxxxxxx"), std::string::npos);
}

TEST_F(StreamEndTest, FileThatCannotBeOpenedIsStatus1) {
  for (const char* path : {"/nowhere/records", "/"}) {
    Outcome outcome = run_bpftrap({"exec", "--json", "--output", path, "--timeout", "10"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors.rfind("bpftrap: ", 0), 0U) << outcome.errors;
    EXPECT_NE(outcome.errors.find(path), std::string::npos) << outcome.errors;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  }
}

// Numbers of records, by kind, of the children of this process.
std::map<std::string, int> count_children(const Bpftrap& bpftrap) {
  std::map<std::string, int> counts;
  for (const Record& record : bpftrap.records()) {
    if (record.has("ppid") && record.number("ppid") == static_cast<std::uint64_t>(::getpid())) {
      ++counts[record.kind()];
    }
  }
  return counts;
}

TEST_F(StreamEndTest, ReaderThatStallsLosesNothing) {
  constexpr int processes = 1500;  // many more than a pipe holds
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  for (int i = 0; i < processes; ++i) {
    Child([] { return 0; }).wait();
  }
  sleep_for(2s);
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(count_children(bpftrap)["exit"], processes);
}

TEST_F(StreamEndTest, LineIsVisibleWithin100Milliseconds) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<std::uint64_t> delays;
  for (int i = 0; i < 15; ++i) {
    sleep_for(10ms);
    Ended process = Child([] { return 0; }).wait();
    bpftrap.await([&] { return !bpftrap.records_of(process).empty(); });
    delays.push_back(boot_ns_now() - bpftrap.record_of(process, "exit").number("boot_ns"));
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  // A busy machine may delay this process or bpftrap now and then, but not usually.
  std::sort(delays.begin(), delays.end());
  EXPECT_LE(delays[delays.size() / 2], 100'000'000U) << "longest delay: " << delays.back() << " ns";
}

std::uint64_t write_calls(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/io");
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == "syscw:") {
      return value;
    }
  }
  throw Failure("no syscw in /proc/PID/io");
}

TEST_F(StreamEndTest, StormCostsFarFewerWritesThanRecords) {
  if (::access("/proc/self/io", R_OK) != 0) {
    GTEST_SKIP() << "this kernel counts no write calls (CONFIG_TASK_IO_ACCOUNTING)";
  }
  constexpr std::uint64_t processes = 2000;
  ScratchDir directory;
  std::string program = write_tiny_program(directory);
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user});
  bpftrap.await_start();
  std::uint64_t writes = write_calls(bpftrap.pid());
  std::uint64_t time = boot_ns_now();
  Storm storm = make_storm(processes, program);
  bpftrap.await([&] { return bpftrap.records().size() > 2 * processes; });
  time = boot_ns_now() - time;
  writes = write_calls(bpftrap.pid()) - writes;
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(storm.started, processes);
  // One write per 10 ms, and those that a full pipe splits.
  EXPECT_LE(writes, 2 * processes / 10) << 2 * processes << " records in " << time << " ns";
}

}  // namespace
}  // namespace e2e
