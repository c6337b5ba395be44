// SPDX-License-Identifier: GPL-2.0-only
// --summary agrees with the started processes and with the records.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

// The words of each table line on standard error.
std::vector<Words> table(const std::string& errors) {
  std::vector<Words> rows;
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Words row;
    for (std::string word; words >> word;) {
      row.push_back(word);
    }
    rows.push_back(row);
  }
  return rows;
}

class SummaryTest : public TracingTest {
 protected:
  void SetUp() override {
    for (const char* name : {"sum-often", "sum-busy"}) {
      std::filesystem::create_symlink(self_path(), directory_ / name);
    }
    TracingTest::SetUp();
  }

  Ended run(const std::string& name, Words workload) {
    std::string path = directory_ / name;
    workload.insert(workload.begin(), {path, "--workload"});
    return Child([&] { return exec_argv(path, workload, ""); }).wait();
  }

  // Five processes with one name, two of which fail, and one with another name, which uses CPU
  // time.
  void run_all() {
    run("sum-often", {"nothing"});
    run("sum-often", {"exit", "3"});
    run("sum-often", {"sleep", "50"});
    run("sum-often", {"die", "9"});
    run("sum-often", {"nothing"});
    run("sum-busy", {"burn", "300"});
    run_workload({"exit", "1"});  // has a name that the filter does not want
  }

  ScratchDir directory_;
};

TEST_F(SummaryTest, RecordsAddUpTheExits) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--summary", "--name", "sum-*"});
    bpftrap.await_start();
    run_all();
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(table(bpftrap.errors()).size(), 4U) << "the table is also printed";
    const std::vector<Record>& records = bpftrap.records();
    ASSERT_GE(records.size(), 3U);
    std::vector<Record> rows(records.end() - 3, records.end() - 1);
    EXPECT_EQ(std::count_if(records.begin(), records.end(),
                            [](const Record& record) { return record.kind() == "summary"; }),
              2);
    ASSERT_EQ(rows[0].kind(), "summary");
    ASSERT_EQ(rows[1].kind(), "summary");
    EXPECT_EQ(rows[0].text("comm"), "sum-busy") << "most CPU time first";
    EXPECT_EQ(rows[1].text("comm"), "sum-often");
    EXPECT_EQ(rows[0].number("count"), 1U);
    EXPECT_EQ(rows[0].number("failures"), 0U);
    EXPECT_EQ(rows[1].number("count"), 5U);
    EXPECT_EQ(rows[1].number("failures"), 2U);
    for (const Record& row : rows) {
      std::map<std::string, std::uint64_t> sums;
      for (const Record& exit : records) {
        if (exit.kind() != "exit" || exit.text("comm") != row.text("comm")) {
          continue;
        }
        sums["duration_total_ns"] += exit.number("duration_ns");
        sums["duration_max_ns"] = std::max(sums["duration_max_ns"], exit.number("duration_ns"));
        sums["cpu_user_ns"] += exit.number("cpu_user_ns");
        sums["cpu_sys_ns"] += exit.number("cpu_sys_ns");
        sums["max_rss_bytes"] = std::max(sums["max_rss_bytes"], exit.number("max_rss_bytes"));
      }
      ASSERT_EQ(sums.size(), 5U);
      std::uint64_t cpu = sums["cpu_user_ns"] + sums["cpu_sys_ns"];
      std::uint64_t final_cpu = row.number("cpu_user_ns") + row.number("cpu_sys_ns");
      EXPECT_NEAR(static_cast<double>(final_cpu), static_cast<double>(cpu), 1e7)
          << "the last account of each process replaces that of its record";
      sums.erase("cpu_user_ns");
      sums.erase("cpu_sys_ns");
      for (const auto& [key, sum] : sums) {
        EXPECT_EQ(row.number(key.c_str()), sum) << key;
      }
    }
    EXPECT_GE(rows[0].number("cpu_user_ns") + rows[0].number("cpu_sys_ns"), 250'000'000U);
  }
}

TEST_F(SummaryTest, NothingRanIsNoRecord) {
  Bpftrap bpftrap({"exec", "--json", "--summary", "--name", "sum-none"});
  bpftrap.await_start();
  run_all();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records().size(), 2U);
}

TEST_F(SummaryTest, WithoutItThereIsNone) {
  Bpftrap bpftrap({"exec", "--json", "--name", "sum-*"});
  bpftrap.await_start();
  run("sum-often", {"nothing"});
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.records().size(), 4U);
  EXPECT_EQ(bpftrap.errors(), "");
}

TEST_F(SummaryTest, TableIsOnStandardError) {
  Bpftrap bpftrap({"exit", "--summary", "--name", "sum-*"});
  bpftrap.await_start();
  run_all();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.lines().size(), 1U + 6U);
  std::vector<Words> rows = table(bpftrap.errors());
  ASSERT_EQ(rows.size(), 4U) << bpftrap.errors();
  EXPECT_EQ(rows[0], (Words{"COMM", "COUNT", "FAILED", "TOTAL", "LONGEST", "CPU", "RSS"}));
  ASSERT_EQ(rows[1].size(), 7U);
  EXPECT_EQ(Words(rows[1].begin(), rows[1].begin() + 3), (Words{"sum-busy", "1", "0"}));
  EXPECT_EQ(Words(rows[2].begin(), rows[2].begin() + 3), (Words{"sum-often", "5", "2"}));
  EXPECT_EQ(Words(rows[3].begin(), rows[3].begin() + 3), (Words{"total", "6", "2"}));
  EXPECT_EQ(rows[3][4], rows[1][4]) << "the total has the longest of all";
}

TEST_F(SummaryTest, OfAProgramAndItsDescendantsOnly) {
  Child noise([] {
    for (;;) {
      run_workload({"nothing"});
    }
    return 0;
  });
  Words words{"exec",       "--summary", "--",   directory_ / "sum-often",
              "--workload", "start",     "exit", "9"};
  Outcome outcome = run_bpftrap(words);
  EXPECT_EQ(outcome.status, 9);
  std::vector<Words> rows = table(outcome.errors);
  ASSERT_EQ(rows.size(), 4U) << outcome.errors;
  for (const Words& row : {rows[1], rows[2]}) {
    ASSERT_EQ(row.size(), 7U);
    EXPECT_EQ(row[1], "1");
    EXPECT_EQ(row[2], "1");
  }
  EXPECT_EQ(rows[3][1], "2");
}

}  // namespace
}  // namespace e2e
