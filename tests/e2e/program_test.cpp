// SPDX-License-Identifier: GPL-2.0-only
// `-- PROGRAM`: what it inherits, which of its descendants are reported, and how it ends bpftrap.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "e2e/program_fixture.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

TEST_F(ProgramTest, ItsStatusIsThatOfBpftrap) {
  ::close(::open((directory_ / "no-program").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  const std::pair<Words, int> cases[] = {
      {program({"nothing"}), 0},
      {program({"exit", "7"}), 7},
      {program({"exit", "255"}), 255},
      {program({"exit", "125"}), 125},
      {program({"die", "9"}), 128 + 9},
      {program({"die", "15"}), 128 + 15},
      {{"--", directory_ / "no-program"}, 126},
      {{"--", directory_.path()}, 126},
      {{"--", directory_ / "missing"}, 127},
      {{"--", "bpftrap-e2e-missing"}, 127},
      {{"--", ""}, 127},
  };
  for (const auto& [words, status] : cases) {
    for (const char* command : {"exec", "exit"}) {
      SCOPED_TRACE(command + (" " + words.at(1)) + " " + words.back());
      Bpftrap bpftrap(Words{command, "--json"} + words, {.environment = {"PATH=/bin:/usr/bin"}});
      EXPECT_EQ(bpftrap.wait(), status);
      bool executed = words.size() > 2;
      EXPECT_EQ(bpftrap.errors().rfind("bpftrap: cannot execute ", 0) == 0, !executed)
          << bpftrap.errors();
      EXPECT_EQ(traced(bpftrap, "exec").size(), executed && command[2] == 'e' ? 1U : 0U);
      if (executed) {
        ASSERT_EQ(traced(bpftrap, "exit").size(), 1U);
        Record exit = traced(bpftrap, "exit").front();
        EXPECT_EQ(exit.maybe_number("exit_code").value_or(0) +
                      (exit.is_null("signal") ? 0 : 128 + std::stoul(words.back())),
                  static_cast<std::uint64_t>(status));
      }
    }
  }
}

TEST_F(ProgramTest, FirstRecordIsItsOwnExec) {
  Child noise([] {
    for (;;) {
      run_workload({"nothing"});
    }
    return 0;
  });
  for (int i = 0; i < 5; ++i) {
    Bpftrap bpftrap(Words{"exec", "--json"} + program({"note", notes_, "start", "exit", "4"}));
    EXPECT_EQ(bpftrap.wait(), 4);
    Ended self = read_notes(notes_).back();
    std::vector<Record> records = traced(bpftrap);
    // In this order: two execs of PROGRAM, that of its child, and both ends.
    ASSERT_EQ(records.size(), 5U);
    EXPECT_EQ(records[0].kind(), "exec");
    EXPECT_TRUE(is_about(records[0], self));
    EXPECT_EQ(records[0].strings("args"),
              (Words{self_path(), "--workload", "note", notes_, "start", "exit", "4"}));
    EXPECT_EQ(records[0].number("ppid"), static_cast<std::uint64_t>(bpftrap.pid()));
    EXPECT_TRUE(is_about(records[1], self));
    EXPECT_EQ(records[2].text("parent_id"), records[0].text("id"));
    EXPECT_EQ(records[3].text("id"), records[2].text("id"));
    EXPECT_EQ(records[3].maybe_number("exit_code"), 4U);
    EXPECT_EQ(records[4].kind(), "exit");
    EXPECT_TRUE(is_about(records[4], self));
  }
}

TEST_F(ProgramTest, ItsOptionsAreItsOwn) {
  const Words argv{self_path(), "--json", "-x",  "",        "--", "-c",
                   "1",         "--help", "a b", "--pid=x", ""};
  Bpftrap bpftrap(Words{"exec", "--json", "--"} + argv,
                  {.environment = {std::string(workload_variable) + "=nothing"}});
  EXPECT_EQ(bpftrap.wait(), 0);
  EXPECT_EQ(bpftrap.errors(), "");
  ASSERT_EQ(traced(bpftrap, "exec").size(), 1U);
  EXPECT_EQ(traced(bpftrap, "exec").front().strings("args"), argv);
}

TEST_F(ProgramTest, IsLookedForInPath) {
  std::filesystem::create_symlink(self_path(), directory_ / "e2e-program");
  Bpftrap bpftrap(
      Words{"exec", "--event=+failed", "--json", "--", "e2e-program", "--workload", "exit", "6"},
      {.environment = {"PATH=/nonexistent:" + directory_.path()}});
  EXPECT_EQ(bpftrap.wait(), 6);
  ASSERT_EQ(traced(bpftrap).size(), 2U)
      << "no failed execs, because bpftrap searches PATH without executing";
  EXPECT_EQ(traced(bpftrap).front().text("comm"), "e2e-program");
  EXPECT_EQ(traced(bpftrap).front().strings("args").front(), "e2e-program");
}

TEST_F(ProgramTest, ItsOutputStaysOutOfTheTrace) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"say", "hello from it"}));
  EXPECT_EQ(bpftrap.wait(), 0);  // every line of the output is a record
  EXPECT_EQ(traced(bpftrap).size(), 2U);
  EXPECT_EQ(bpftrap.errors(), "hello from it\n");
}

TEST_F(ProgramTest, KeepsStandardOutputWhereTheTraceGoesElsewhere) {
  for (const Words& output :
       {Words{"-o", directory_ / "trace"}, Words{"--output=" + (directory_ / "trace")}}) {
    Bpftrap bpftrap(Words{"exec", "-j"} + output + program({"say", "hello from it"}));
    EXPECT_EQ(bpftrap.wait(), 0);
    EXPECT_EQ(bpftrap.output(), "hello from it\n");
    EXPECT_EQ(bpftrap.errors(), "");
    EXPECT_EQ(lines_of_file(directory_ / "trace").size(), 4U);
  }
}

TEST_F(ProgramTest, SignalsAreAtTheirDefaultsAndNoDescriptorIsBpftraps) {
  const std::string quiet =
      "\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
      "SigCgt:\t0000000000000000\n";
  for (bool own_descriptor : {false, true}) {
    Bpftrap::Setup setup;
    setup.before_exec = [&] {
      for (int fd = 3; fd < 1024; ++fd) {
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
      if (own_descriptor) {
        ::dup2(STDERR_FILENO, 9);
      }
      for (int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGQUIT, SIGUSR1, SIGRTMIN + 3}) {
        std::signal(signal, SIG_IGN);
      }
      sigset_t set;
      sigfillset(&set);
      ::sigprocmask(SIG_BLOCK, &set, nullptr);
    };
    Bpftrap bpftrap(Words{"exec", "--json"} + program({"say-state"}), setup);
    EXPECT_EQ(bpftrap.wait(), 0);
    EXPECT_EQ(bpftrap.errors(),
              "descriptors 0 1 2" + std::string(own_descriptor ? " 9" : "") + quiet);
  }
}

TEST_F(ProgramTest, EndsWhenItEndsWhateverItsDaemonsDo) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"daemon", notes_, "2000"}));
  EXPECT_EQ(bpftrap.wait(), 3);
  std::vector<Ended> notes = read_notes(notes_);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(::kill(notes[0].pid, 0), 0) << "the daemon still lives";
  EXPECT_TRUE(bpftrap.records_of(notes[0]).empty());
  EXPECT_EQ(traced(bpftrap, "exit").size(), 1U);
  EXPECT_EQ(traced(bpftrap, "exit").front().maybe_number("exit_code"), 3U);
  ::kill(notes[0].pid, SIGKILL);
}

TEST_F(ProgramTest, WaitAllWaitsForItsDaemons) {
  Bpftrap bpftrap(Words{"exec", "--json", "--wait-all"} + program({"daemon", notes_, "700"}));
  EXPECT_EQ(bpftrap.wait(), 3);
  std::vector<Ended> notes = read_notes(notes_);
  ASSERT_EQ(notes.size(), 1U);
  Record exec = bpftrap.record_of(notes[0], "exec");
  Record exit = bpftrap.record_of(notes[0], "exit");
  EXPECT_EQ(exec.strings("args").back(), "5");
  EXPECT_EQ(exit.maybe_number("exit_code"), 5U);
  std::uint64_t program_end = traced(bpftrap, "exit").front().number("boot_ns");
  EXPECT_GE(exit.number("boot_ns"), program_end + 690'000'000);
  EXPECT_LE(wall_ns_of(bpftrap.records().back()), wall_ns_of(exit) + 5'000'000'000);
  EXPECT_EQ(traced(bpftrap).size(), 4U);
}

TEST_F(ProgramTest, DescendantsWithoutExecAreReportedByExit) {
  Child noise([] {
    for (;;) {
      Child([] { return 0; }).wait();
    }
    return 0;
  });
  Bpftrap bpftrap(Words{"exit", "--json", "--wait-all"} +
                  program({"generations", notes_, "2", "3"}));
  EXPECT_EQ(bpftrap.wait(), 0);
  std::vector<Ended> notes = read_notes(notes_);
  ASSERT_EQ(notes.size(), 7U);
  for (const Ended& process : notes) {
    EXPECT_EQ(bpftrap.records_of(process, "exit").size(), 1U);
  }
  EXPECT_EQ(traced(bpftrap).size(), 7U);
}

TEST_F(ProgramTest, FiveThousandDescendantsOfTwoHundredGenerations) {
  Bpftrap bpftrap(Words{"exit", "--json", "--wait-all"} +
                  program({"generations", notes_, "200", "25"}));
  EXPECT_EQ(bpftrap.wait(), 0);
  std::vector<Ended> notes = read_notes(notes_);
  ASSERT_EQ(notes.size(), 5'001U);
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> seen;
  std::uint64_t leaves = 0;
  for (const Record& exit : traced(bpftrap)) {
    ++seen[{exit.number("pid"), to_ticks(exit.start_ns())}];
    leaves += exit.maybe_number("exit_code") == 7U ? 1 : 0;
  }
  std::size_t missing = 0;
  for (const Ended& process : notes) {
    missing += seen[{static_cast<std::uint64_t>(process.pid), process.start_ticks}] == 1 ? 0 : 1;
  }
  EXPECT_EQ(missing, 0U) << "not seen, or seen twice";
  EXPECT_EQ(traced(bpftrap).size(), 5'001U);
  EXPECT_EQ(leaves, 200U * 23U);
}

TEST_F(ProgramTest, WhereBpftrapCannotTraceItIsNotExecuted) {
  const Words wrong[] = {{"--cgroup", "/bpftrap-e2e-missing"},
                         {"--output", directory_ / "missing/file"}};
  for (const Words& options : wrong) {
    SCOPED_TRACE(options.front());
    Outcome outcome = run_bpftrap(Words{"exec"} + options + program({"note", notes_, "exit", "0"}));
    EXPECT_EQ(outcome.status, 125);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors.rfind("bpftrap: ", 0), 0U) << outcome.errors;
    EXPECT_TRUE(read_notes(notes_).empty());
  }
}

TEST_F(ProgramTest, WithoutPrivilegesTheCauseIsSaidAndItIsNotExecuted) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give up privileges";
  }
  Outcome outcome =
      run_bpftrap(Words{"exec"} + program({"note", notes_, "exit", "0"}), {.before_exec = [] {
                    if (::setresuid(54321, 54321, 54321) != 0) {
                      ::_exit(77);
                    }
                  }});
  EXPECT_EQ(outcome.status, 125);
  EXPECT_NE(outcome.errors.find("sudo"), std::string::npos) << outcome.errors;
  EXPECT_TRUE(read_notes(notes_).empty());
}

TEST_F(ProgramTest, WrongCommandLinesDoNotExecuteIt) {
  Outcome outcome = run_bpftrap(Words{"exec", "--bogus"} + program({"note", notes_, "exit", "0"}));
  EXPECT_EQ(outcome.status, 125);
  EXPECT_TRUE(read_notes(notes_).empty());
}

}  // namespace
}  // namespace e2e
