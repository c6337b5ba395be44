// SPDX-License-Identifier: GPL-2.0-only
// The recipes of docs/exec.md for logrotate, with the real logrotate.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class RotationTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    for (const char* path : {"/usr/sbin/logrotate", "/usr/bin/logrotate"}) {
      logrotate_ = ::access(path, X_OK) == 0 ? path : logrotate_;
    }
    if (logrotate_.empty()) {
      GTEST_SKIP() << "logrotate is not installed";
    }
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root rotates files of root";
    }
    ::chmod(scratch_.path().c_str(), 0755);
  }

  void rotate(const std::string& directives) {
    std::string recipe = scratch_ / "recipe";
    std::ofstream(recipe) << log_ << " {\n" << directives << "}\n";
    ::chmod(recipe.c_str(), 0644);
    std::string command =
        logrotate_ + " --force --state " + (scratch_ / "state") + " " + recipe + " 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  std::unique_ptr<Bpftrap> start() {
    auto bpftrap = std::make_unique<Bpftrap>(std::vector<std::string>{
        "exec", "--json", "--output", log_, "--append", "--tree", std::to_string(::getpid())});
    await_lines(1);
    return bpftrap;
  }
  void await_lines(std::size_t count) {
    for (int i = 0; i < 10'000 && lines_of_file(log_).size() < count; ++i) {
      sleep_for(1ms);
    }
  }
  // Runs processes until the file has their records. Returns their pids.
  std::set<std::uint64_t> run(std::size_t count) {
    std::set<std::uint64_t> pids;
    std::size_t before = lines_of_file(log_).size();
    for (std::size_t i = 0; i < count; ++i) {
      pids.insert(static_cast<std::uint64_t>(run_workload({"nothing"}).pid));
    }
    await_lines(before + 2 * count);
    return pids;
  }
  // Each of these processes has its exec record in the file.
  static void expect_in(const std::string& path, const std::set<std::uint64_t>& pids) {
    std::set<std::uint64_t> there = executed(path);
    for (std::uint64_t pid : pids) {
      EXPECT_EQ(there.count(pid), 1U) << path;
    }
  }
  // Pids of the exec records. Each line must be a record.
  static std::set<std::uint64_t> executed(const std::string& path) {
    std::set<std::uint64_t> pids;
    for (const std::string& line : lines_of_file(path)) {
      Record record = Record::parse(line);  // throws if NULs or half a line are there
      if (record.kind() == "exec") {
        pids.insert(record.number("pid"));
      }
    }
    return pids;
  }

  ScratchDir scratch_;
  std::string log_ = scratch_ / "bpftrap.json";
  std::string logrotate_;
};

TEST_F(RotationTest, CopyAndTruncate) {
  std::unique_ptr<Bpftrap> bpftrap = start();
  std::set<std::uint64_t> first = run(20);
  rotate("  copytruncate\n  rotate 3\n");
  std::set<std::uint64_t> second = run(20);
  EXPECT_EQ(bpftrap->stop(), 0);
  expect_in(log_ + ".1", first);
  expect_in(log_, second);
}

TEST_F(RotationTest, NewFileAndRestart) {
  std::unique_ptr<Bpftrap> bpftrap = start();
  std::set<std::uint64_t> first = run(20);
  // The service manager starts it again; here the test does.
  rotate("  create 0600 root root\n  rotate 3\n  postrotate\n    kill -TERM " +
         std::to_string(bpftrap->pid()) + "\n  endscript\n");
  EXPECT_EQ(bpftrap->wait(), 0);
  bpftrap = start();
  std::set<std::uint64_t> second = run(20);
  EXPECT_EQ(bpftrap->stop(), 0);
  expect_in(log_ + ".1", first);
  expect_in(log_, second);
  EXPECT_EQ(Record::parse(lines_of_file(log_ + ".1").back()).kind(), "stop");
  EXPECT_EQ(Record::parse(lines_of_file(log_).front()).kind(), "start");
}

}  // namespace
}  // namespace e2e
