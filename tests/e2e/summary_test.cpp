// SPDX-License-Identifier: GPL-2.0-only
// --summary agrees with the started processes and with the records.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
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

// The records of kind `summary` about one part.
std::vector<Record> parts(const Bpftrap& bpftrap, const std::string& of) {
  std::vector<Record> found;
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "summary" && record.text("of") == of) {
      found.push_back(record);
    }
  }
  return found;
}

// The sums over the exit records with this name, or over all.
std::map<std::string, std::uint64_t> sums(const Bpftrap& bpftrap, const std::string& comm) {
  std::map<std::string, std::uint64_t> sums;
  for (const Record& exit : bpftrap.records()) {
    if (exit.kind() != "exit" || (!comm.empty() && exit.text("comm") != comm)) {
      continue;
    }
    ++sums["count"];
    sums["failures"] += exit.is_null("signal") && exit.number("exit_code") == 0 ? 0 : 1;
    sums["duration_total_ns"] += exit.number("duration_ns");
    sums["duration_max_ns"] = std::max(sums["duration_max_ns"], exit.number("duration_ns"));
    sums["cpu_user_ns"] += exit.number("cpu_user_ns");
    sums["cpu_sys_ns"] += exit.number("cpu_sys_ns");
    sums["rss_bytes"] =
        std::max(sums["rss_bytes"],
                 exit.maybe_number("peak_rss_bytes").value_or(exit.number("max_rss_bytes")));
  }
  return sums;
}

TEST_F(SummaryTest, RecordsAddUpTheExits) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--summary", "--name", "sum-*"});
    std::uint64_t before = boot_ns_now();
    bpftrap.await_start();
    run_all();
    EXPECT_EQ(bpftrap.stop(), 0);
    std::uint64_t after = boot_ns_now();
    std::vector<Record> run = parts(bpftrap, "run");
    std::vector<Record> programs = parts(bpftrap, "program");
    std::vector<Record> commands = parts(bpftrap, "command");
    ASSERT_EQ(run.size(), 1U);
    ASSERT_EQ(programs.size(), 2U);
    ASSERT_EQ(commands.size(), 6U);
    EXPECT_EQ(programs[0].text("comm"), "sum-busy") << "most CPU time first";
    EXPECT_EQ(programs[1].text("comm"), "sum-often");
    EXPECT_EQ(programs[1].number("count"), 5U);
    EXPECT_EQ(programs[1].number("failures"), 2U);
    for (const Record& record : {run[0], programs[0], programs[1]}) {
      std::map<std::string, std::uint64_t> expected =
          sums(bpftrap, record.is_null("comm") ? "" : record.text("comm"));
      std::uint64_t cpu = expected["cpu_user_ns"] + expected["cpu_sys_ns"];
      std::uint64_t final_cpu = record.number("cpu_user_ns") + record.number("cpu_sys_ns");
      EXPECT_NEAR(static_cast<double>(final_cpu), static_cast<double>(cpu), 2e7)
          << "the last account of each process replaces that of its record";
      expected.erase("cpu_user_ns");
      expected.erase("cpu_sys_ns");
      for (const auto& [key, sum] : expected) {
        EXPECT_EQ(record.number(key.c_str()), sum) << key;
      }
    }
    EXPECT_GE(programs[0].number("cpu_user_ns") + programs[0].number("cpu_sys_ns"), 250'000'000U);
    EXPECT_LE(run[0].number("wall_ns"), after - before);
    EXPECT_GE(run[0].number("wall_ns"), commands[0].number("duration_max_ns"));
    EXPECT_EQ(run[0].number("cpus"), static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
    EXPECT_EQ(commands[0].text("comm"), "sum-busy") << "the longest first";
    EXPECT_EQ(commands[0].strings("args"),
              (Words{directory_ / "sum-busy", "--workload", "burn", "300"}));
    char* directory = ::get_current_dir_name();
    EXPECT_EQ(commands[0].text("cwd"), directory);
    std::free(directory);
  }
}

TEST_F(SummaryTest, QuietPrintsOnlyTheSummary) {
  Bpftrap json({"exec", "--json", "--quiet", "--summary", "--name", "sum-*"});
  json.await_start();
  run_all();
  EXPECT_EQ(json.stop(), 0);
  for (const Record& record : json.records()) {
    EXPECT_TRUE(record.kind() == "start" || record.kind() == "summary" || record.kind() == "stop")
        << record.kind();
  }
  EXPECT_EQ(parts(json, "program").size(), 2U);

  Outcome table = run_bpftrap({"exec", "-q", "--summary", "--", "/bin/true"});
  EXPECT_EQ(table.status, 0);
  EXPECT_EQ(table.output, "");
  EXPECT_NE(table.errors.find("1 process, 0 failed\n"), std::string::npos) << table.errors;
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
  ASSERT_EQ(rows.size(), 1U + 1U + 3U + 1U + 7U) << bpftrap.errors();
  EXPECT_EQ(Words(rows[0].end() - 4, rows[0].end()), (Words{"6", "processes,", "2", "failed"}));
  EXPECT_EQ(rows[2],
            (Words{"PROGRAM", "STARTED", "BY", "COUNT", "FAILED", "CPU", "LONGEST", "RSS"}));
  const std::string self = self_path().substr(self_path().rfind('/') + 1).substr(0, 15);
  EXPECT_EQ(Words(rows[3].begin(), rows[3].begin() + 4), (Words{"sum-busy", self, "1", "0"}));
  EXPECT_EQ(Words(rows[4].begin(), rows[4].begin() + 4), (Words{"sum-often", self, "5", "2"}));
  EXPECT_EQ(rows[6], (Words{"DURATION", "CPU", "RSS", "DIRECTORY", "COMMAND"}));
  EXPECT_EQ(rows[7][4], "sum-busy") << "the longest first";
}

TEST_F(SummaryTest, OfAProgramAndItsDescendantsOnly) {
  Child noise([] {
    for (;;) {
      run_workload({"nothing"});
    }
    return 0;
  });
  Words words{"exec",       "--json", "--summary", "--", directory_ / "sum-often",
              "--workload", "start",  "exit",      "9"};
  Bpftrap bpftrap(words);
  EXPECT_EQ(bpftrap.wait(), 9);
  ASSERT_EQ(parts(bpftrap, "run").size(), 1U);
  Record run = parts(bpftrap, "run")[0];
  EXPECT_EQ(run.number("count"), 2U);
  EXPECT_EQ(run.number("failures"), 2U);
  std::uint64_t last = 0;
  for (const Record& record : bpftrap.records()) {
    last = record.kind() == "exit" ? std::max(last, record.number("boot_ns")) : last;
  }
  EXPECT_EQ(run.number("wall_ns"), last - bpftrap.records().front().number("boot_ns"))
      << "the run ends with its last process";
}

}  // namespace
}  // namespace e2e
