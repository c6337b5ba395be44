// SPDX-License-Identifier: GPL-2.0-only
// The command line, and the messages about requests that bpftrap cannot fulfil.
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <sstream>

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

void expect_refused(const Wrong& wrong, int status) {
  Outcome outcome = run_bpftrap(wrong.args);
  SCOPED_TRACE(testing::PrintToString(wrong.args));
  EXPECT_EQ(outcome.status, status);
  expect_one_message(outcome);
  for (const std::string& part : wrong.said) {
    EXPECT_TRUE(contains(outcome.errors, part)) << part << " is not in: " << outcome.errors;
  }
}

TEST(CliTest, WrongValuesAreRefusedInOneLine) {
  const Wrong all[] = {
      {{"exec", "--min-duration", "abc"}, {"--min-duration", "'abc'", "expected", "ms"}},
      {{"exec", "-d", "5x"}, {"--min-duration", "'5x'", "expected", "1h30m"}},
      {{"exec", "--min-duration=-5"}, {"--min-duration", "'-5'", "expected"}},
      {{"exec", "--timeout", ""}, {"--timeout", "''", "expected"}},
      {{"exit", "--timeout", "1 s"}, {"--timeout", "'1 s'", "expected"}},
      {{"exit", "--timeout", "0"}, {"--timeout", "'0'", "expected 1ns or more"}},
      {{"exec", "-d", "0.5ns"}, {"--min-duration", "'0.5ns'", "expected 1ns or more"}},
      {{"exec", "--count", "0"}, {"--count", "'0'", "expected a whole number from 1\n"}},
      {{"exec", "-c", "1.5"}, {"--count", "'1.5'", "expected"}},
      {{"exec", "-c", "99999999999999999999"}, {"--count", "expected at most 19 digits"}},
      {{"exec", "--pid", "0"}, {"--pid", "'0'", "expected"}},
      {{"exit", "-p", "self"}, {"--pid", "'self'", "expected"}},
      {{"exec", "--pid", "1,2"}, {"--pid: '1,2' is a list; expected --pid 1 --pid 2\n"}},
      {{"exec", "--pid", "1", "2"}, {"'2'", "repeat the option"}},
      {{"exec", "--user", "root,daemon"}, {"--user", "expected --user root --user daemon\n"}},
      {{"exec", "--user", "no such"}, {"--user", "'no such'", "expected a name or a uid"}},
      {{"hello", "--pid", "99999999999999999999"}, {"--pid", "'99999999999999999999'", "expected"}},
      {{"exec", "--buffer-size", "0"}, {"--buffer-size", "'0'", "expected 8K to 2G"}},
      {{"exit", "--buffer-size", "4K"}, {"--buffer-size", "'4K'", "expected 8K to 2G"}},
      {{"exit", "--buffer-size", "8191"}, {"--buffer-size", "'8191'", "expected 8K to 2G"}},
      {{"exec", "--buffer-size", "4T"}, {"--buffer-size", "'4T'", "expected 8K to 2G"}},
      {{"exec", "--buffer-size", "4P"}, {"--buffer-size", "'4P'", "K, M, G or T"}},
      {{"exec", "--name", "systemd-journald"}, {"--name", "15 bytes", "'systemd-journal'"}},
      {{"exec", "--exclude-name", "systemd-journald"},
       {"--exclude-name", "15 bytes", "'systemd-journal'"}},
      {{"exec", "--event", "execs"}, {"--event", "'execs'", "expected exec, failed, fork, exit"}},
      {{"exit", "-x", "--event", "+fork"}, {"--event", "--failed", "expected failed, exit"}},
      {{"exec", "-x", "--event", "exec"}, {"--event", "--failed", "expected failed, exit"}},
      {{"exec", "-d", "1", "--event", "+failed"}, {"--event", "--min-duration", "expected exit"}},
      {{"exit", "--summary", "--event", "exec"}, {"--summary", "expected exit in --event"}},
      {{"exec", "--forest", "--json"}, {"--forest", "--json", "expected one"}},
      {{"exit", "--json", "--forest"}, {"--forest", "--json", "expected one"}},
      {{"exec", "--color", "sometimes"},
       {"--color", "'sometimes'", "expected", "auto", "always", "never"}},
      {{"hello", "--interval", "0"}, {"--interval", "'0'", "expected"}},
      {{"show", "--since", "soon"}, {"--since", "'soon'", "expected RFC 3339"}},
      {{"show", "--last", "0"}, {"--last", "'0'", "expected a whole number"}},
      {{"show", "--since", "now", "--until", "-1h"}, {"--until", "expected a later time"}},
      {{"show", "--follow", "--summary"}, {"--follow", "--summary", "expected one"}},
      {{"record", "--output", "-"}, {"--output", "'-'", "expected a path"}},
  };
  for (const Wrong& wrong : all) {
    expect_refused(wrong, 2);
  }
}

TEST(CliTest, WrongWordsAreRefusedInOneLine) {
  const Wrong all[] = {
      {{"exec", "--count"}, {"--count: a value is missing; expected --count N\n"}},
      {{"exec", "--btf="}, {"--btf: a value is missing; expected --btf FILE\n"}},
      {{"exec", "-c", "1", "-c", "2"}, {"--count: given 2 times; expected once"}},
      {{"exec", "--json=maybe"}, {"--json: takes no value; expected --json alone"}},
      {{"exec", "--failed=0"}, {"--failed: takes no value"}},
      {{"exec", "--no-header=no"}, {"--no-header: takes no value"}},
      {{"doctor", "--help=x"}, {"--help: takes no value"}},
      {{"doctor", "--version=x"}, {"--version: takes no value"}},
      {{"exec", "--nonsense"}, {"'--nonsense'", "--help"}},
      {{"exec", "--min-duratoin", "5"}, {"'--min-duratoin'", "'--min-duration'"}},
      {{"hello", "--no-color"}, {"'--no-color'", "did you mean '--color never'?"}},
      {{"exec", "--tree-view"}, {"'--tree-view'", "did you mean '--forest'?"}},
      {{"exit", "-f"}, {"'-f'", "did you mean '-x, --failed'?"}},
      {{"hello", "-f"}, {"unknown option '-f'; see"}},
      {{"exec", "make"}, {"'make'", "bpftrap exec -- make", "--help"}},
      {{"exit", "gcc", "-o", "-c"}, {"'gcc'", "bpftrap exit -- gcc"}},
      {{"show", "a", "b"}, {"unexpected argument 'b'; see `bpftrap show --help`"}},
      {{"record", "--name", "x"}, {"unknown option '--name'"}},
      {{"record", "make"}, {"'make'", "bpftrap record -- make"}},
      {{"doctor", "stray"}, {"unexpected argument 'stray'; see `bpftrap doctor --help`"}},
      {{"exec", "++"}, {"'++'"}},
      {{"exec", "exit"}, {"'exit'"}},
      {{"exec", "--cgroup", ""}, {"--cgroup", "''", "expected"}},
      {{"exec", "--wait-all"}, {"--wait-all", "expected", "-- PROGRAM"}},
      {{"exit", "--json", "--"}, {"--: a program is missing", "expected -- PROGRAM"}},
      {{"exec", "--program-word=:true"}, {"unknown option '--program-word=:true'", "-- PROGRAM"}},
      {{"hello", "--json", "--trace-pipe"}, {"--json", "--trace-pipe"}},
      {{"exce"}, {"'exce'", "did you mean 'exec'"}},
      {{"hullo", "--json"}, {"'hullo'", "did you mean 'hello'"}},
      {{"something"}, {"'something'", "--help"}},
      {{"exec", "--output", ""}, {"--output", "expected "}},
      {{"exec", "--pid", "1\n2\x1b[2J"}, {"--pid", "'1\\n2\\x1b[2J'", "expected "}},
      {{"no\nsuch"}, {"'no\\nsuch'"}},
      {{"--json", "exec"}, {"'--json'", "expected bpftrap exec --json"}},
      {{"-p5", "exit"}, {"'-p5'", "expected bpftrap exit -p5"}},
      {{"--trace-pipe"}, {"expected bpftrap hello --trace-pipe"}},
      {{"--nonsense", "exec"}, {"unknown option '--nonsense'"}},
      {{"help", "exce"}, {"'exce'", "did you mean 'exec'"}},
      {{"hello", "--", "true"}, {"'hello' takes no program"}},
      {{"diff", "--", "true"}, {"'diff' takes no program"}},
      {{"diff", "a", "b", "c"}, {"A B: 3 words; expected at most 2"}},
      {{"diff", "", "b"}, {"A B: '' is not a file; expected a path"}},
      {{"diff", "--ignore", std::string(61, 'x')}, {"--ignore", "maximum of 60 bytes"}},
      {{"show", ""}, {"FILE|DIR|ID: '' is not a file; expected a path"}},
      {{"show", "-g", ""}, {"--cgroup", "''", "expected"}},
      {{"why", "slow", ""}, {"FILE: '' is not a file; expected a path"}},
      {{"why", "died"}, {"WHO is missing; see `bpftrap why died --help`"}},
      {{"why", "died", "1", ""}, {"FILE|DIR: '' is not a file; expected a path"}},
      {{}, {"a command is missing; expected hello, exec, exit, record, show, why, diff or doctor"}},
  };
  for (const Wrong& wrong : all) {
    expect_refused(wrong, 2);
  }
}

// Every other status could be PROGRAM's.
TEST(CliTest, WrongOptionsWithAProgramAreStatus125) {
  const Wrong all[] = {
      {{"exec", "--nonsense", "--", "true"}, {"'--nonsense'"}},
      {{"exit", "--pid", "x", "--", "true"}, {"--pid", "'x'"}},
      {{"exec", "-o", "--", "ls"}, {"--output: a value is missing before `--`; expected "}},
      {{"exec", "--tree", "1", "--", "true"}, {"--tree", "-- PROGRAM", "expected"}},
      {{"exce", "--", "true"}, {"'exce'"}},
      {{"--", "make"}, {"a command is missing", "bpftrap exec -- make"}},
  };
  for (const Wrong& wrong : all) {
    expect_refused(wrong, 125);
  }
}

TEST(CliTest, VersionIsOneLine) {
  using Words = std::vector<std::string>;
  for (const Words& args :
       {Words{"--version"}, Words{"-V"}, Words{"exec", "--version"}, Words{"doctor", "-v", "-V"}}) {
    SCOPED_TRACE(testing::PrintToString(args));
    Outcome outcome = run_bpftrap(args);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.output.rfind("bpftrap ", 0), 0U);
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1);
    EXPECT_EQ(outcome.errors, "");
  }
}

std::string help_of(const std::string& command) {
  Outcome outcome = run_bpftrap(command.empty() ? std::vector<std::string>{"--help"}
                                                : std::vector{command, std::string("--help")});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.errors, "");
  return outcome.output;
}

constexpr const char* commands[] = {"hello", "exec", "exit", "record", "show", "doctor"};

TEST(CliTest, HelpEndsWithExamples) {
  for (const std::string command : {"", "hello", "exec", "exit", "record", "show", "doctor"}) {
    SCOPED_TRACE(command);
    std::string help = help_of(command);
    std::size_t examples = help.find("\nExamples:\n");
    ASSERT_NE(examples, std::string::npos);
    std::string rest = help.substr(examples);
    int count = 0;
    for (std::size_t at = 0; (at = rest.find("bpftrap " + command, at)) != std::string::npos;
         ++at) {
      ++count;
    }
    EXPECT_GE(count, 3);
    EXPECT_FALSE(contains(rest, "--help ")) << "the examples must come last";
  }
  for (const char* command : commands) {
    EXPECT_TRUE(contains(help_of(""), std::string("\n  ") + command + " ")) << command;
  }
}

TEST(CliTest, HelpFitsEightyColumns) {
  for (const std::string command : {"", "hello", "exec", "exit", "record", "show", "doctor"}) {
    SCOPED_TRACE(command);
    std::string help = help_of(command);
    EXPECT_FALSE(contains(help, "\n\n\n"));
    EXPECT_NE(help.front(), '\n');
    EXPECT_FALSE(help.ends_with("\n\n"));
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 80U) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
}

// Each description is a lower-case phrase without a full stop.
TEST(CliTest, HelpHasOneMood) {
  for (const std::string command : {"", "hello", "exec", "exit", "record", "show", "doctor"}) {
    SCOPED_TRACE(command);
    std::string help = help_of(command);
    std::istringstream lines(help.substr(0, help.find("\nExamples:\n")));
    for (std::string line; std::getline(lines, line);) {
      std::size_t text = line.find_first_not_of(' ', command.empty() ? 12 : 28);
      if (line.starts_with("  ") && text != std::string::npos) {
        EXPECT_FALSE(line.ends_with('.')) << line;
        EXPECT_FALSE(line.at(2) != ' ' && std::isupper(line.at(text)) != 0) << line;
      }
    }
  }
}

TEST(CliTest, HelpShowsHowToGiveAProgram) {
  for (const std::string command : {"exec", "exit", "record"}) {
    std::string help = help_of(command);
    EXPECT_TRUE(
        help.starts_with("Usage: bpftrap " + command + " [OPTIONS] [-- PROGRAM ARGS...]\n"));
    EXPECT_TRUE(contains(help, "\n  sudo bpftrap " + command + " -- make")) << "missing example";
  }
  EXPECT_FALSE(contains(help_of("hello"), "PROGRAM"));
  EXPECT_TRUE(help_of("").starts_with("Usage: bpftrap [--help] [--version] COMMAND [OPTIONS]\n"));
}

TEST(CliTest, HelpIsACommandToo) {
  EXPECT_EQ(run_bpftrap({"help"}).output, help_of(""));
  EXPECT_EQ(run_bpftrap({"-h"}).output, help_of(""));
  EXPECT_EQ(run_bpftrap({"help", "help"}).output, help_of(""));
  for (const char* command : commands) {
    EXPECT_EQ(run_bpftrap({"help", command}).output, help_of(command));
    EXPECT_EQ(run_bpftrap({"--help", command}).output, help_of(command));
  }
}

TEST(CliTest, TextThatCannotBeWrittenIsAFailure) {
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Bpftrap::Setup setup;
  setup.stdout_fd = full;
  for (const char* option : {"--help", "--version"}) {
    Outcome outcome = run_bpftrap({option}, setup);
    EXPECT_EQ(outcome.status, 1);
    expect_one_message(outcome);
    EXPECT_TRUE(contains(outcome.errors, "standard output: No space left")) << outcome.errors;
  }
  ::close(full);
}

TEST(CliTest, TextWhoseReaderIsGoneIsNoFailure) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  Bpftrap::Setup setup;
  setup.stdout_fd = ends[1];
  setup.before_exec = [] { ::signal(SIGPIPE, SIG_IGN); };
  Outcome outcome = run_bpftrap({"exec", "--help"}, setup);
  ::close(ends[1]);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.errors, "");
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

using StandardOutputTest = TracingTest;

TEST_F(StandardOutputTest, IsMeantByADash) {
  Bpftrap bpftrap({"exec", "--json", "-o", "-", "--", "/bin/sh", "-c", "echo said; exit 3"});
  EXPECT_EQ(bpftrap.wait(), 3);
  EXPECT_EQ(bpftrap.records().size(), 4U);
  EXPECT_EQ(bpftrap.errors(), "said\n") << "standard output belongs to the trace";
}

using BtfTest = TracingTest;

TEST_F(BtfTest, FromAFileServesAllThatIsTraced) {
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    GTEST_SKIP() << "this kernel has no /sys/kernel/btf/vmlinux";
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
