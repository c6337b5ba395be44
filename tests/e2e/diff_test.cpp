// SPDX-License-Identifier: GPL-2.0-only
// `diff` of recordings of a small make project. The oracle is the change that the test makes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "e2e/recording.h"

namespace e2e {
namespace {

class DiffTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    write("Makefile",
          "all: compile test step\n"
          "compile:\n\tgcc $(FLAG) -c a.c -o a.o\n\tgcc $(FLAG) -c b.c -o b.o\n"
          "test: compile\n\tsh ./test.sh\n"
          "step: compile\n\tsh ./step.sh\n"
          "FLAG = -O2\n");
    write("a.c", "int a(void) { return 1; }\n");
    write("b.c", "int b(void) { return 2; }\n");
    write("test.sh", test_);
    write("step.sh", "sleep 0.5\n");
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
  }
  // A run of make in the project.
  void record(const std::string& name) const {
    std::string directory = directory_.path();
    Outcome outcome =
        run_bpftrap({"record", "-o", directory_ / name, "--", "make", "-k"},
                    {.environment = {"PATH=/usr/bin:/bin"},
                     .before_exec = [directory] { std::filesystem::current_path(directory); }});
    ASSERT_NE(outcome.errors.find("bpftrap: wrote "), std::string::npos) << outcome.errors;
  }
  Outcome diff(const std::string& a, const std::string& b, const Words& more = {}) const {
    return run_bpftrap(Words{"diff", directory_ / a, directory_ / b} + more, {.may_lose = true});
  }
  // Lines without the header and without those about time, which a busy machine adds. Runs of
  // spaces become one.
  static Words rows(const std::string& output) {
    Words rows;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
      bool is_time = line.starts_with("slower") || line.starts_with("faster");
      if (!line.starts_with("DIFFERENCE") && !is_time) {
        line.erase(std::unique(line.begin(), line.end(),
                               [](char a, char b) { return a == ' ' && b == ' '; }),
                   line.end());
        rows.push_back(line);
      }
    }
    return rows;
  }

  // Names of temporary files and pids differ from run to run.
  const std::string test_ =
      "file=$(mktemp)\necho $$ > \"$file\"\ncat \"$file\"\nenv kill -0 $$\nrm \"$file\"\n";
  ScratchDir directory_;
};

TEST_F(DiffTest, TwoRunsOfOneBuildDifferInNothing) {
  record("first");
  for (int i = 0; i < 20; ++i) {
    record("other");
    Outcome outcome = diff("first", "other");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(rows(outcome.output), Words()) << outcome.output;
    EXPECT_EQ(outcome.errors, "");
  }
}

TEST_F(DiffTest, EachChangeIsFoundAndNothingElse) {
  record("before");
  auto expect = [this](const std::string& name, const Words& parts) {
    record(name);
    Outcome outcome = diff("before", name);
    EXPECT_EQ(outcome.status, 1);
    Words found = rows(outcome.output);
    ASSERT_EQ(found.size(), parts.size()) << outcome.output;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_NE(found[i].find(parts[i]), std::string::npos) << outcome.output;
    }
  };
  write("test.sh", test_ + "curl -s http://127.0.0.1:1/ || true\n");
  expect("curl", {"curl -s http://127.0.0.1:1/"});
  EXPECT_EQ(diff("before", "curl", {"--ignore", "cur*"}).status, 0);

  write("test.sh", test_ + "exit 3\n");
  expect("failing", {"status 0 3 make sh ./test.sh"});

  write("test.sh", test_);
  std::filesystem::copy_file(directory_ / "Makefile", directory_ / "Makefile.old");
  std::ofstream(directory_ / "Makefile", std::ios::app) << "FLAG = -O3\n";
  expect("flag", {"only in A 2 - make gcc -O2 -c a.c -o a.o (and 1 like it)",
                  "only in B - 2 make gcc -O3 -c a.c -o a.o (and 1 like it)"});
  std::filesystem::rename(directory_ / "Makefile.old", directory_ / "Makefile");
}

TEST_F(DiffTest, ASlowStepDoesNotSetTheStatus) {
  auto step = [this](const char* seconds) {
    // The time is no argument.
    write("step.sh", "perl -e 'open F, \"time\"; select undef, undef, undef, <F>'; exit 0\n");
    write("time", std::string(seconds) + "\n");
  };
  step("0.6");
  record("fast");
  step("1.2");
  record("slow");
  Outcome outcome = diff("fast", "slow");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(rows(outcome.output), Words()) << outcome.output;
  EXPECT_NE(outcome.output.find("slower"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("perl -e"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("sh ./step.sh"), std::string::npos) << outcome.output;
}

TEST_F(DiffTest, DefaultsJsonAndTrouble) {
  auto run_here = [this](const Words& args) {
    std::string directory = directory_.path();
    return run_bpftrap(args,
                       {.before_exec = [directory] { std::filesystem::current_path(directory); }});
  };
  Outcome missing = run_here({"diff"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_NE(missing.errors.find("trace.bpftrap.old"), std::string::npos) << missing.errors;
  run_here({"record", "--", "/bin/true"});
  run_here({"record", "--", "/bin/false"});
  Outcome outcome = run_here({"diff", "-j"});
  EXPECT_EQ(outcome.status, 1);
  std::istringstream lines(outcome.output);
  std::vector<Record> records;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(Schema::get().violation_of_line(line), "");
    records.push_back(Record::parse(line));
  }
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].kind(), "only_a");
  EXPECT_EQ(records[0].strings("args"), Words{"/bin/true"});
  EXPECT_EQ(records[0].text("a_status"), "0");
  EXPECT_TRUE(records[0].is_null("b_status"));
  EXPECT_EQ(records[1].kind(), "only_b");
  EXPECT_EQ(records[1].number("b_count"), 1U);
  EXPECT_EQ(run_here({"diff", "trace.bpftrap"}).status, 2);
  EXPECT_EQ(run_here({"diff", "a", "b", "c"}).status, 2);
  EXPECT_EQ(run_here({"diff", "trace.bpftrap", "/dev/null"}).status, 2);
}

}  // namespace
}  // namespace e2e
