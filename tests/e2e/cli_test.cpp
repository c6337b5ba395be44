// SPDX-License-Identifier: GPL-2.0-only
// The command line, and what bpftrap says when it cannot do what it is asked to.
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "e2e/bpftrap.h"

namespace e2e {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void expect_one_message(const Outcome& outcome) {
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors.rfind("bpftrap: ", 0), 0U) << outcome.errors;
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  EXPECT_TRUE(!outcome.errors.empty() && outcome.errors.back() == '\n') << outcome.errors;
}

struct Wrong {
  std::vector<std::string> args;
  std::vector<std::string> said;
};

TEST(CliTest, WrongOptionsAreRefusedInOneLine) {
  const Wrong all[] = {
      {{"exec", "--min-duration", "abc"}, {"--min-duration", "'abc'", "accepted", "ms"}},
      {{"exec", "-d", "5x"}, {"--min-duration", "'5x'", "accepted"}},
      {{"exec", "--min-duration=-5"}, {"--min-duration", "'-5'", "accepted"}},
      {{"exec", "--timeout", ""}, {"--timeout", "''", "accepted"}},
      {{"exit", "--timeout", "1 s"}, {"--timeout", "'1 s'", "accepted"}},
      {{"exec", "--count", "0"}, {"--count", "'0'", "accepted"}},
      {{"exec", "-c", "1.5"}, {"--count", "'1.5'", "accepted"}},
      {{"exec", "--pid", "0"}, {"--pid", "'0'", "accepted"}},
      {{"exit", "-p", "self"}, {"--pid", "'self'", "accepted"}},
      {{"hello", "--pid", "99999999999999999999"}, {"--pid", "'99999999999999999999'", "accepted"}},
      {{"exec", "--buffer-size", "0"}, {"--buffer-size", "'0'", "accepted"}},
      {{"exec", "--buffer-size", "4T"}, {"--buffer-size", "'4T'", "accepted"}},
      {{"exec", "--buffer-size", "99G"}, {"--buffer-size", "'99G'", "accepted"}},
      {{"exec", "--color", "sometimes"},
       {"--color", "'sometimes'", "accepted", "auto", "always", "never"}},
      {{"hello", "--interval", "0"}, {"--interval", "'0'", "accepted"}},
      {{"exec", "--count"}, {"--count"}},
      {{"exec", "--json=maybe"}, {"--json"}},
      {{"exec", "--nonsense"}, {"'--nonsense'", "--help"}},
      {{"exec", "--min-duratoin", "5"}, {"'--min-duratoin'", "'--min-duration'"}},
      {{"exec", "stray"}, {"'stray'", "--help"}},
      {{"exec", "--cgroup", ""}, {"--cgroup", "''", "accepted"}},
      {{"exec", "--wait-all"}, {"--wait-all", "accepted", "-- PROGRAM"}},
      {{"exit", "--json", "--"}, {"--:", "no program", "accepted", "-- PROGRAM"}},
      {{"exec", "--program-word=:true"}, {"unknown option '--program-word=:true'", "-- PROGRAM"}},
      {{"exec", "--tree", "1", "--", "true"}, {"--tree", "-- PROGRAM", "accepted"}},
      {{"hello", "--", "true"}, {"hello starts no program"}},
      {{"hello", "--json", "--trace-pipe"}, {"--json", "--trace-pipe"}},
      {{"exce"}, {"'exce'", "did you mean 'exec'"}},
      {{"hullo", "--json"}, {"'hullo'", "did you mean 'hello'"}},
      {{"something"}, {"'something'", "--help"}},
      {{"exec", "-o", "--", "ls"}, {"--output", "accepted: "}},
      {{"exec", "--output", ""}, {"--output", "accepted: "}},
      {{"exec", "--pid", "1\n2\x1b[2J"}, {"--pid", "'1\\n2\\x1b[2J'", "accepted: "}},
      {{"no\nsuch"}, {"'no\\nsuch'"}},
      {{"--nonsense", "exec"}, {"'--nonsense'"}},
      {{}, {"command", "hello", "exec", "exit", "doctor"}},
  };
  for (const Wrong& wrong : all) {
    Outcome outcome = run_bpftrap(wrong.args);
    SCOPED_TRACE(testing::PrintToString(wrong.args));
    EXPECT_EQ(outcome.status, 2);
    expect_one_message(outcome);
    for (const std::string& part : wrong.said) {
      EXPECT_TRUE(contains(outcome.errors, part)) << part << " is not in: " << outcome.errors;
    }
  }
}

TEST(CliTest, VersionIsOneLine) {
  Outcome outcome = run_bpftrap({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.output.rfind("bpftrap ", 0), 0U);
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1);
  EXPECT_EQ(outcome.errors, "");
}

TEST(CliTest, HelpEndsWithExamples) {
  for (const std::string command : {"", "hello", "exec", "exit", "doctor"}) {
    SCOPED_TRACE(command);
    Outcome outcome = run_bpftrap(command.empty() ? std::vector<std::string>{"--help"}
                                                  : std::vector{command, std::string("--help")});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.errors, "");
    std::size_t examples = outcome.output.find("Examples:\n");
    ASSERT_NE(examples, std::string::npos);
    std::string rest = outcome.output.substr(examples);
    int count = 0;
    for (std::size_t at = 0; (at = rest.find("bpftrap " + command, at)) != std::string::npos;
         ++at) {
      ++count;
    }
    EXPECT_GE(count, 3);
    EXPECT_FALSE(contains(rest, "--help ")) << "examples come last";
  }
  Outcome all = run_bpftrap({"--help"});
  for (const char* command : {"hello", "exec", "exit", "doctor"}) {
    EXPECT_TRUE(contains(all.output, std::string("  ") + command + " ")) << command;
  }
}

void become_nobody() {
  for (int capability = 0; capability < 64; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability);
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::geteuid() == 0 &&
      (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0)) {
    ::_exit(99);
  }
}

TEST(CliTest, WithoutPrivilegesItNamesThem) {
  Bpftrap::Setup setup;
  setup.before_exec = become_nobody;
  if (run_bpftrap({"--version"}, setup).status != 0) {
    GTEST_SKIP() << "not every user may execute " << Bpftrap::binary();
  }
  for (const char* command : {"hello", "exec", "exit"}) {
    SCOPED_TRACE(command);
    Outcome outcome = run_bpftrap({command, "--json", "--timeout", "10"}, setup);
    EXPECT_EQ(outcome.status, 1);
    expect_one_message(outcome);
    for (const char* part : {"CAP_BPF", "CAP_PERFMON", "sudo"}) {
      EXPECT_TRUE(contains(outcome.errors, part)) << outcome.errors;
    }
  }
}

using BtfTest = TracingTest;

TEST_F(BtfTest, FromAFileServesAllThatIsTraced) {
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    GTEST_SKIP() << "this kernel shows no BTF";
  }
  for (const char* command : {"exec", "exit"}) {
    Bpftrap bpftrap({command, "--json", "--btf", "/sys/kernel/btf/vmlinux", "--name", "*", "--",
                     self_path(), "--workload", "exit", "3"});
    EXPECT_EQ(bpftrap.wait(), 3) << bpftrap.errors();
    ASSERT_EQ(bpftrap.records().size(), command[2] == 'e' ? 4U : 3U);
    EXPECT_EQ(bpftrap.records()[bpftrap.records().size() - 2].number("exit_code"), 3U);
  }
}

TEST_F(BtfTest, FilesThatHaveNoneAreStatus1) {
  for (const std::string path : {"/nonexistent", "/dev/null", "/bin/true", "/etc/passwd"}) {
    Outcome outcome = run_bpftrap({"exec", "--btf", path, "--timeout", "1"});
    EXPECT_EQ(outcome.status, 1);
    expect_one_message(outcome);
    EXPECT_TRUE(contains(outcome.errors, path)) << outcome.errors;
    EXPECT_TRUE(contains(outcome.errors, "--btf")) << outcome.errors;
  }
}

}  // namespace
}  // namespace e2e
