// SPDX-License-Identifier: GPL-2.0-only
// --fail-on: which programs it finds, what it prints, and the exit status.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "e2e/program_fixture.h"

namespace e2e {
namespace {

class FailOnTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    std::filesystem::create_symlink(self_path(), forbidden_);
  }

  static std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  // PROGRAM: a shell that runs this script.
  static Words shell(const std::string& script) { return {"--", "/bin/sh", "-c", script}; }
  // A command of such a script that executes `forbidden`.
  std::string run_forbidden() const { return forbidden_ + " --workload nothing; "; }
  std::string write_script(const std::string& name, const std::string& interpreter) const {
    std::string path = directory_ / name;
    std::ofstream(path) << "#!" << interpreter << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  const std::string forbidden_ = directory_ / "forbidden";
};

TEST_F(FailOnTest, PrintsTheFirstMatchWithItsAncestors) {
  const std::string pids = directory_ / "pids";
  Bpftrap bpftrap(Words{"exec", "--json", "--fail-on", "nothing", "--fail-on", "forbid*"} +
                  shell("echo $$ > " + pids + "; (true; " + run_forbidden() + "true); " +
                        run_forbidden() + "exit 3"));
  EXPECT_EQ(bpftrap.wait(), 99) << "although PROGRAM ended with 3";
  std::vector<Record> matches;
  for (const Record& record : traced(bpftrap, "exec")) {
    if (record.text("filename") == forbidden_) {
      matches.push_back(record);
    }
  }
  ASSERT_EQ(matches.size(), 2U);
  const std::string pid = std::to_string(matches[0].number("pid"));
  const std::string test = base_name(self_path()).substr(0, 15);
  const std::string command = forbidden_ + " --workload nothing";
  EXPECT_EQ(bpftrap.errors().find("bpftrap: --fail-on: forbidden[" + pid + "] executed " +
                                  forbidden_ + ": " + command + "\nbpftrap: its ancestors: sh[" +
                                  std::to_string(matches[0].number("ppid")) + "] < sh[" +
                                  lines_of_file(pids).at(0) + "] < bpftrap[" +
                                  std::to_string(bpftrap.pid()) + "] < " + test + "[" +
                                  std::to_string(::getpid()) + "] < "),
            0U)
      << bpftrap.errors();
  EXPECT_TRUE(bpftrap.errors().ends_with("\nbpftrap: status 99, because forbidden[" + pid +
                                         "] was executed (--fail-on)\n"))
      << bpftrap.errors();
  Record own = traced(bpftrap, "exit").back();
  EXPECT_EQ(own.maybe_number("exit_code"), 3U);
}

TEST_F(FailOnTest, FindsFileNamesAndExecutables) {
  const std::string script = write_script("script", self_path() + " --workload nothing");
  const std::string indirect = write_script("indirect", forbidden_);
  const std::string self = base_name(self_path());
  // The words behind --, the pattern, and whether a program has that name.
  const std::tuple<Words, std::string, bool> cases[] = {
      {{forbidden_, "--workload", "nothing"}, "forbidden", true},
      {{forbidden_, "--workload", "nothing"}, self, true},  // the file behind the link
      {{forbidden_, "--workload", "nothing"}, "[e-g]orbidde?", true},
      {{forbidden_, "--workload", "nothing"}, "forbid", false},
      {{forbidden_, "--workload", "nothing"}, "nothing", false},
      {{script}, "script", true},
      {{script}, self, true},            // the interpreter
      {{indirect}, "forbidden", false},  // the name of a link to the interpreter
  };
  for (const auto& [words, pattern, found] : cases) {
    SCOPED_TRACE(words.front() + " " + pattern);
    Bpftrap bpftrap(Words{"exit", "--json", "--fail-on", pattern, "--"} + words,
                    {.environment = {std::string(workload_variable) + "=nothing"}});
    EXPECT_EQ(bpftrap.wait(), found ? 99 : 0) << bpftrap.errors();
    EXPECT_EQ(bpftrap.errors().empty(), !found) << bpftrap.errors();
  }
}

TEST_F(FailOnTest, FindsWhatFiltersHide) {
  const Words filters[] = {{"--name", "nothing-like-it"},
                           {"--exclude-name", "*"},
                           {"--user", "4711"},
                           {"--cgroup", "/sys/fs/cgroup/no-such-group"},
                           {"--min-duration", "1h"},
                           {"--failed"},
                           {"--event", "fork"},
                           {"--match", "nothing like it"},
                           {"--exclude-match", "."}};
  for (const Words& filter : filters) {
    SCOPED_TRACE(testing::PrintToString(filter));
    if (filter[0] == "--cgroup" && ::access("/sys/fs/cgroup/cgroup.controllers", R_OK) != 0) {
      continue;
    }
    Words options = Words{"exec", "--json", "--fail-on", "forbidden"} + filter;
    if (filter[0] == "--cgroup") {
      options.back() = "/sys/fs/cgroup/bpftrap-e2e-fail-on";
      std::filesystem::create_directory(options.back());
    }
    Bpftrap bpftrap(options + shell(run_forbidden() + "exit 0"));
    EXPECT_EQ(bpftrap.wait(), 99) << bpftrap.errors();
    EXPECT_TRUE(contains(bpftrap.errors(), "] executed " + forbidden_)) << bpftrap.errors();
    EXPECT_EQ(traced(bpftrap, "exec").size() + traced(bpftrap, "exit").size(), 0U)
        << "it changes nothing else";
    if (filter[0] == "--cgroup") {
      std::filesystem::remove(options.back());
    }
  }
}

TEST_F(FailOnTest, QuietPrintsNothingElse) {
  Outcome outcome = run_bpftrap(Words{"exec", "-q", "--fail-on", "forbidden"} +
                                shell("echo from PROGRAM; " + run_forbidden()));
  EXPECT_EQ(outcome.status, 99);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors.rfind("from PROGRAM\nbpftrap: --fail-on: forbidden[", 0), 0U)
      << outcome.errors;
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 4) << outcome.errors;
}

TEST_F(FailOnTest, WithoutAMatchTheStatusIsThatOfProgram) {
  // An exec that fails executes nothing.
  const std::string failing = "/nonexistent/forbidden; ";
  const std::pair<Words, int> cases[] = {{shell(failing + "exit 0"), 0},
                                         {shell(failing + "exit 7"), 7},
                                         {program({"die", "9"}), 128 + 9},
                                         {{"--", directory_ / "missing"}, 127},
                                         {{"--", directory_.path()}, 126}};
  for (const auto& [words, status] : cases) {
    Outcome outcome = run_bpftrap(Words{"exec", "-q", "--fail-on", "forbidden"} + words);
    EXPECT_EQ(outcome.status, status) << words.back();
    EXPECT_FALSE(contains(outcome.errors, "--fail-on")) << outcome.errors;
  }
}

TEST_F(FailOnTest, LostRecordsLeaveTheAnswerOpen) {
  // PROGRAM stops bpftrap, so nobody reads the ring buffer.
  const std::string storm =
      "kill -STOP $PPID; i=0; while [ $i -lt 60 ]; do /bin/true; i=$((i+1)); done; "
      "kill -CONT $PPID; exit 0";
  for (const Words& hidden : {Words{}, Words{"--name", "nothing-like-it"}}) {
    const Words options =
        Words{"exec", "--json", "--buffer-size", "8K", "--fail-on", "forbidden"} + hidden;
    Bpftrap missed(options + shell(storm), {.may_lose = true});
    EXPECT_EQ(missed.wait(), 125);
    EXPECT_TRUE(contains(missed.errors(),
                         "bpftrap: --fail-on: no match, but records were lost; try a larger "
                         "--buffer-size\n"))
        << missed.errors();
    if (!hidden.empty()) {
      EXPECT_EQ(missed.records().back().number("lost"), 0U) << "none that would be printed";
    }
    Bpftrap found(options + shell(run_forbidden() + storm), {.may_lose = true});
    EXPECT_EQ(found.wait(), 99) << "a match is certain";
  }
}

TEST_F(FailOnTest, ATraceThatEndsEarlyLeavesTheAnswerOpen) {
  const Words slow = shell("/bin/true; sleep 0.3; " + run_forbidden() + "exit 0");
  for (const Words& end : {Words{"--count", "2"}, Words{"--timeout", "100ms"}}) {
    Outcome outcome = run_bpftrap(Words{"exec", "--json", "--fail-on", "forbidden"} + end + slow);
    EXPECT_EQ(outcome.status, 125) << end.front();
    EXPECT_TRUE(contains(outcome.errors, "the trace ended before PROGRAM")) << outcome.errors;
  }
  EXPECT_EQ(run_bpftrap(Words{"exec", "--json", "--fail-on", "true", "--count", "2"} + slow).status,
            99)
      << "it was seen before";
}

TEST_F(FailOnTest, WaitsForOrphansWithWaitAll) {
  const Words orphan = shell("(sleep 0.2; " + run_forbidden() + ") & exit 4");
  EXPECT_EQ(run_bpftrap(Words{"exec", "-q", "--fail-on", "forbidden"} + orphan).status, 4);
  Outcome outcome =
      run_bpftrap(Words{"exec", "-q", "--wait-all", "--fail-on", "forbidden"} + orphan);
  EXPECT_EQ(outcome.status, 99);
  EXPECT_TRUE(contains(outcome.errors, "its ancestors: sh[")) << "dead by then: " << outcome.errors;
}

TEST_F(FailOnTest, WrongUseIsRefusedInOneLine) {
  const std::tuple<Words, int, std::string> cases[] = {
      {{"exec", "--fail-on", "curl"}, 2, "--fail-on: there is no PROGRAM; expected -- PROGRAM\n"},
      {{"exec", "--fail-on", "", "--", "true"}, 125, "--fail-on: '' is empty"},
      {{"exit", "--fail-on", "/bin/curl", "--", "true"}, 125, "--fail-on: '/bin/curl' has a /"},
      {{"exec", "-q", "--", "true"}, 125, "expected --summary or --fail-on"},
  };
  for (const auto& [words, status, message] : cases) {
    Outcome outcome = run_bpftrap(words);
    EXPECT_EQ(outcome.status, status);
    EXPECT_TRUE(contains(outcome.errors, message)) << outcome.errors;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  }
}

}  // namespace
}  // namespace e2e
