// SPDX-License-Identifier: GPL-2.0-only
// core/analysis/diff/: which differences of two runs are reported, and which follow from them.
#include <gtest/gtest.h>

#include "core/analysis/diff/compare.h"
#include "core/analysis/diff/report.h"
#include "unit/analysis/made_programs.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

// How a build of three files may go.
struct Build {
  std::string flag = "-O2";
  std::string temporary = "aB3dE6";
  std::string directory = "/home";
  int tests_status = 0;
  MadePrograms::Times step = 500ms;
  Pid first_pid = 5000;
  bool downloads = false;
  int more_runs = 0;
};

RecordedRun make(const Build& build) {
  MadePrograms made(build.directory);
  made.next_pid = build.first_pid;
  int failed = build.tests_status != 0 ? 2 << 8 : 0;
  auto end = 2000ms + build.step;
  Index make = made.add(no_index, "make -s", 0ms, end, failed);
  for (const char* file : {"a", "b", "c"}) {
    std::string name = file;
    Index cc = made.add(make, "gcc " + build.flag + " -c " + build.directory + "/" + name + ".c",
                        10ms, 200ms);
    std::string assembly = "/tmp/cc" + build.temporary + ".s";
    made.add(cc, "cc1 " + build.flag + " " + name + ".c -o " + assembly, 20ms, 150ms);
    made.add(cc, "as " + assembly + " -o " + name + ".o", 150ms, 190ms);
  }
  Index tests = made.add(make, "/bin/sh test.sh", 200ms, 400ms, build.tests_status);
  std::string shell = std::to_string(made.run.processes[tests].id.pid);
  made.add(tests, "kill -0 " + shell, 300ms, 301ms);
  for (int i = 0; i <= build.more_runs; ++i) {
    made.add(tests, "prog --check", 310ms, 320ms, build.tests_status);
  }
  if (build.downloads) {
    made.add(tests, "curl -s http://host/", 330ms, 340ms);
  }
  made.add(make, "slow-step", 500ms, 500ms + build.step);
  made.run.link_children();
  return std::move(made.run);
}

Strings differences(const RecordedRun& a, const RecordedRun& b, const DiffOptions& options = {}) {
  Texts keys;
  DiffTree tree_a(a, keys);
  DiffTree tree_b(b, keys);
  std::vector<DiffRecord> records = compare(tree_a, tree_b, options);
  std::string report = diff_report(records, {});
  Strings rows;
  while (!report.empty()) {
    std::string row = report.substr(0, report.find('\n'));
    report.erase(0, row.size() + 1);
    while (row.find("  ") != std::string::npos) {
      row.erase(row.find("  "), 1);
    }
    rows.push_back(row);
  }
  if (!rows.empty()) {
    EXPECT_EQ(rows.front(), "DIFFERENCE A B STARTED BY COMMAND");
    rows.erase(rows.begin());
  }
  return rows;
}

TEST(DiffTest, ChanceMakesNoDifference) {
  RecordedRun a = make({});
  EXPECT_EQ(differences(a, a), Strings());
  RecordedRun b = make({.temporary = "Zq8fW1", .directory = "/other/place", .first_pid = 7000});
  EXPECT_EQ(differences(a, b), Strings());
  // By chance the name looks like a word.
  EXPECT_EQ(differences(a, make({.temporary = "abcdef"})), Strings());
}

TEST(DiffTest, AnAddedProgram) {
  RecordedRun a = make({});
  RecordedRun b = make({.downloads = true});
  Strings row = {"only in B - 1 test.sh < make curl -s http://host/"};
  EXPECT_EQ(differences(a, b), row);
  EXPECT_EQ(differences(b, a), Strings({"only in A 1 - test.sh < make curl -s http://host/"}));
  EXPECT_EQ(differences(a, b, {[](std::string_view name) { return name == "curl"; }}), Strings());
  EXPECT_EQ(differences(a, b, {[](std::string_view name) { return name == "test.sh"; }}),
            Strings());
}

TEST(DiffTest, AChangedFlagIsOneChange) {
  EXPECT_EQ(differences(make({}), make({.flag = "-O3"})),
            Strings({"only in A 3 - make gcc -O2 -c /home/a.c (and 2 like it)",
                     "only in B - 3 make gcc -O3 -c /home/a.c (and 2 like it)"}));
}

TEST(DiffTest, AFailureIsReportedWhereItBegins) {
  EXPECT_EQ(differences(make({}), make({.tests_status = 3 << 8})),
            Strings({"status 0 3 test.sh < make prog --check"}));
}

TEST(DiffTest, AnotherNumberOfRuns) {
  EXPECT_EQ(differences(make({}), make({.more_runs = 2})),
            Strings({"count 1 3 test.sh < make prog --check"}));
}

TEST(DiffTest, ASlowStepIsReportedOnce) {
  EXPECT_EQ(differences(make({}), make({.step = 1000ms})),
            Strings({"slower 500ms 1.00s make slow-step"}));
  EXPECT_EQ(differences(make({.step = 1000ms}), make({})),
            Strings({"faster 1.00s 500ms make slow-step"}));
  EXPECT_EQ(differences(make({}), make({.step = 700ms})), Strings()) << "less than half of it";
  EXPECT_EQ(differences(make({.step = 90ms}), make({.step = 280ms})), Strings()) << "below 200 ms";
}

TEST(DiffTest, TimeThatAProgramWaitedForACpuIsNoise) {
  RecordedRun b = make({.step = 1000ms});
  RunProcess& slow = b.processes[b.processes.size() - 1];
  slow.cpu_wait = 450ms;
  EXPECT_EQ(differences(make({}), b), Strings());
}

TEST(DiffTest, ProgramsOfOneProcessAreAChain) {
  MadePrograms a;
  Index process = a.add(no_index, "env prog", 0ms, 100ms);
  a.execute(process, "prog --x", 10ms);
  MadePrograms b;
  process = b.add(no_index, "env prog", 0ms, 100ms);
  b.execute(process, "prog --y", 10ms);
  b.execute(process, "absent", 20ms, 2);
  EXPECT_EQ(differences(a.run, b.run),
            Strings({"only in A 1 - env prog --x", "only in B - 1 env prog --y"}));
}

// A shell learns the pid of a child after its own birth, before its exec.
TEST(DiffTest, PidsAreThoseOfProcessesBornBefore) {
  auto run = [](Pid first_pid, bool is_known) {
    MadePrograms made;
    made.next_pid = first_pid;
    Index shell = made.add(no_index, "sh run.sh", 0ms, 100ms);
    Index child = made.add(shell, "sleep 1", is_known ? 10ms : 30ms, 90ms);
    made.execute(shell, "tail --pid=" + std::to_string(made.run.processes[child].id.pid), 20ms);
    return std::move(made.run);
  };
  EXPECT_EQ(differences(run(5000, true), run(7000, true)), Strings());
  // The number of a process that is born later is another number.
  EXPECT_EQ(
      differences(run(5000, false), run(7000, false)),
      Strings({"only in A 1 - run.sh tail --pid=5001", "only in B - 1 run.sh tail --pid=7001"}));
}

TEST(DiffTest, TheParentOfProgramIsAPid) {
  auto run = [](Pid first_pid) {
    MadePrograms made;
    made.next_pid = first_pid;
    Index recorder = made.add(no_index, "bpftrap record", 0ms, 100ms);
    made.run.processes[recorder].older = true;
    made.run.execs[0].older = true;
    made.run.program = made.add(recorder, "sh run.sh", 10ms, 100ms);
    made.add(made.run.program, "echo " + std::to_string(first_pid), 20ms, 30ms);
    return std::move(made.run);
  };
  EXPECT_EQ(differences(run(5000), run(7000)), Strings());
}

// Such as a daemon that the recording outlived in one run only.
TEST(DiffTest, AnUnknownEndIsNoOtherStatus) {
  RecordedRun a = make({});
  RecordedRun b = make({});
  RunProcess& last = b.processes[b.processes.size() - 1];
  last.ended = last.end_recorded = false;
  EXPECT_EQ(differences(a, b), Strings());
  EXPECT_EQ(differences(b, a), Strings());
  // Two failures cannot be the one that is unknown.
  RecordedRun c = make({.tests_status = 3 << 8, .more_runs = 1});
  RecordedRun d = make({.more_runs = 1});
  for (std::size_t i = 0; i < d.processes.size(); ++i) {
    if (d.comm(static_cast<Index>(i)) == "prog") {
      d.processes[i].end_recorded = false;
      break;
    }
  }
  EXPECT_EQ(differences(d, c), Strings({"status 0 3 test.sh < make prog --check"}));
}

TEST(DiffTest, ManyProgramsThatChangedAreMatched) {
  auto run = [](const std::string& flag) {
    MadePrograms made;
    Index make = made.add(no_index, "make", 0ms, 100ms);
    for (int i = 0; i < 3000; ++i) {
      made.add(make, "cc " + flag + " file" + std::to_string(i) + ".c", 10ms, 50ms);
    }
    return std::move(made.run);
  };
  EXPECT_EQ(differences(run("-O2"), run("-O3")),
            Strings({"only in A 3000 - make cc -O2 file0.c (and 2999 like it)",
                     "only in B - 3000 make cc -O3 file0.c (and 2999 like it)"}));
}

TEST(DiffTest, RecipesOfAShellAreTakenApart) {
  auto recipe = [](const std::string& flag) {
    MadePrograms made;
    Index make = made.add(no_index, "make", 0ms, 100ms);
    for (const char* file : {"a.c", "b.c"}) {
      Index shell = made.add(make, std::string("sh -c cc_") + flag + "_" + file, 10ms, 50ms);
      made.add(shell, "cc " + flag + " " + file, 20ms, 40ms);
    }
    return std::move(made.run);
  };
  EXPECT_EQ(differences(recipe("-O2"), recipe("-O3")),
            Strings({"only in A 2 - make sh -c 'cc -O2 a.c' (and 1 like it)",
                     "only in B - 2 make sh -c 'cc -O3 a.c' (and 1 like it)"}));
}

}  // namespace
}  // namespace bpftrap
