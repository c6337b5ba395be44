// SPDX-License-Identifier: GPL-2.0-only
// bpftrap inside a pid namespace, as in a container: it finds the processes that its user names,
// and shows their numbers there. The oracle is NSpid of /proc/PID/status, read from outside.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "e2e/guest.h"
#include "e2e/namespaces.h"
#include "e2e/program_fixture.h"
#include "e2e/scope_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class PidNamespaceTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (!IsSkipped() && ::geteuid() != 0) {
      GTEST_SKIP() << "only root may create pid namespaces";
    }
  }

  static Bpftrap::Setup inside() { return {.before_exec = enter_pid_namespace}; }
  static Bpftrap::Setup two_inside() {
    return {.before_exec = [] {
      enter_pid_namespace();
      enter_pid_namespace();
    }};
  }
};

// No Gate: the process that stays outside a namespace would keep it closed.
void await_word(SharedWords& words, std::size_t index = 0) {
  while (words[index] == 0) {
    sleep_for(1ms);
  }
}

std::uint64_t number_at(const std::vector<pid_t>& numbers, std::size_t level) {
  return static_cast<std::uint64_t>(numbers.at(level));
}

std::uint64_t inode_of_pid_namespace(pid_t pid) {
  struct stat status {};
  EXPECT_EQ(::stat(("/proc/" + std::to_string(pid) + "/ns/pid").c_str(), &status), 0);
  return status.st_ino;
}

TEST_F(PidNamespaceTest, ProgramIsTracedAndItsStatusKept) {
  for (int i = 0; i < 20; ++i) {
    Bpftrap bpftrap(Words{"exec", "--json"} + program({"exit", "3"}), inside());
    ASSERT_EQ(bpftrap.wait(), 3) << bpftrap.errors();
    ASSERT_EQ(traced(bpftrap, "exec").size(), 1U) << "run " << i;
    ASSERT_EQ(traced(bpftrap, "exit").size(), 1U) << "run " << i;
    Record exec = traced(bpftrap, "exec").front();
    EXPECT_EQ(exec.number("local_pid"), exec.number("ns_pid"));
    EXPECT_LT(exec.number("ns_pid"), 20U);  // of the new namespace
    EXPECT_EQ(traced(bpftrap, "exit").front().number("exit_code"), 3U);
    EXPECT_EQ(bpftrap.errors(), "");
  }
}

TEST_F(PidNamespaceTest, WaitAllEndsWithTheLastDescendant) {
  for (int i = 0; i < 20; ++i) {
    Bpftrap bpftrap(Words{"exit", "--json", "--wait-all"} +
                        program({"daemon", notes_ + std::to_string(i), "10"}),
                    inside());
    ASSERT_EQ(bpftrap.wait(), 3) << bpftrap.errors();
    std::vector<Record> ends = traced(bpftrap, "exit");
    ASSERT_EQ(ends.size(), 3U) << "PROGRAM, the daemon's parent, the daemon";
    EXPECT_EQ(ends.back().number("exit_code"), 5U);
  }
}

TEST_F(PidNamespaceTest, NumbersAreThoseThatTheKernelShows) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"pause"}), inside());
  bpftrap.await([&] { return !traced(bpftrap, "exec").empty(); });
  Record exec = traced(bpftrap, "exec").front();
  pid_t pid = await_program(bpftrap.pid());
  EXPECT_EQ(exec.number("pid"), static_cast<std::uint64_t>(pid));
  EXPECT_EQ(exec.number("local_pid"), number_at(numbers_of(pid), 1));
  EXPECT_EQ(exec.number("ns_pid"), number_at(numbers_of(pid), 1));
  EXPECT_EQ(exec.number("pid_ns_inode"), inode_of_pid_namespace(pid));
  EXPECT_EQ(to_ticks(exec.start_ns()), start_ticks(pid));
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  EXPECT_EQ(bpftrap.wait(), 128 + SIGTERM);
}

TEST_F(PidNamespaceTest, AncestorsHaveTheNumbersInside) {
  Bpftrap bpftrap({"exec", "--no-header", "--event", "exec", "--columns", "PID,ANCESTORS", "--",
                   "/bin/sh", "-c", "/bin/true; exit 3"},
                  inside());
  EXPECT_EQ(bpftrap.wait(), 3);
  Words lines = bpftrap.lines();
  ASSERT_EQ(lines.size(), 2U) << bpftrap.output();
  int shell = std::stoi(lines[0]);
  auto row = [](int pid, const std::string& ancestors) {
    std::string number = std::to_string(pid);
    return std::string(7 - number.size(), ' ') + number + " " + ancestors;
  };
  EXPECT_EQ(lines[0], row(shell, "bpftrap[1] < …"));
  EXPECT_EQ(lines[1], row(shell + 1, "sh[" + std::to_string(shell) + "] < bpftrap[1] < …"))
      << "the parent of bpftrap is outside";
}

TEST_F(PidNamespaceTest, InTheInitialNamespaceAllNumbersAreAlike) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Ended process = run_workload({"nothing"});
  bpftrap.await([&] { return !bpftrap.records_of(process, "exit").empty(); });
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const char* kind : {"exec", "exit"}) {
    Record record = bpftrap.record_of(process, kind);
    EXPECT_EQ(record.number("local_pid"), record.number("pid"));
    EXPECT_EQ(record.number("ns_pid"), record.number("pid"));
    EXPECT_EQ(record.number("pid_ns_inode"), inode_of_pid_namespace(::getpid()));
  }
}

TEST_F(PidNamespaceTest, NamespacesBelowAndAbove) {
  // A process two levels down, seen from each level.
  for (std::size_t level : {0U, 1U, 2U}) {
    std::vector<std::string> args{"exec", "--json", "--name", "ns-nested"};
    std::string nested = directory_ / "ns-nested";
    std::error_code exists;
    std::filesystem::create_symlink(self_path(), nested, exists);
    Bpftrap bpftrap(args, level == 0 ? Bpftrap::Setup{} : level == 1 ? inside() : two_inside());
    bpftrap.await_start();
    Child outer([&] {
      enter_pid_namespace();
      if (::fork() == 0) {  // so that numbers differ
        ::_exit(0);
      }
      enter_pid_namespace();
      return exec_argv(nested, {nested, "--workload", "pause"}, "");
    });
    bpftrap.await([&] { return !traced(bpftrap, "exec").empty(); });
    Record exec = traced(bpftrap, "exec").front();
    pid_t pid = await_process(outer.pid(), {3, 1});
    EXPECT_EQ(exec.number("pid"), static_cast<std::uint64_t>(pid));
    EXPECT_EQ(exec.number("ns_pid"), 1U);
    EXPECT_EQ(exec.number("pid_ns_inode"), inode_of_pid_namespace(pid));
    if (level == 0) {
      EXPECT_EQ(exec.number("local_pid"), static_cast<std::uint64_t>(pid));
    } else {
      EXPECT_TRUE(exec.is_null("local_pid")) << "another namespace of the same level";
    }
    EXPECT_EQ(bpftrap.stop(), 0) << bpftrap.errors();
  }
}

TEST_F(PidNamespaceTest, DescendantsInANamespaceOfTheirOwn) {
  Bpftrap bpftrap(Words{"exec", "--json"} + program({"inside", "exit", "4"}), inside());
  EXPECT_EQ(bpftrap.wait(), 4) << bpftrap.errors();
  std::vector<Record> execs = traced(bpftrap, "exec");
  ASSERT_EQ(execs.size(), 2U);
  EXPECT_EQ(execs[1].number("local_pid"), execs[0].number("local_pid") + 1);
  EXPECT_EQ(execs[1].number("ns_pid"), 1U);
  EXPECT_NE(execs[1].number("pid_ns_inode"), execs[0].number("pid_ns_inode"));
}

TEST_F(PidNamespaceTest, TableHasLocalNumbers) {
  Bpftrap bpftrap(Words{"exec"} + program({"die", "9"}), inside());
  EXPECT_EQ(bpftrap.wait(), 137) << bpftrap.errors();
  std::vector<std::string> lines = bpftrap.lines();
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t i : {1U, 2U}) {
    std::istringstream words(lines[i]);
    std::string time, event, parent;
    int pid = 0;
    words >> time >> event >> pid >> parent;
    EXPECT_GT(pid, 1) << lines[i];
    EXPECT_LT(pid, 20) << lines[i];
    EXPECT_EQ(parent, "bpftrap[1]") << lines[i];
  }
}

TEST_F(PidNamespaceTest, TableHasNoNumberForProcessesOutside) {
  std::string name = directory_ / "ns-outside";
  std::filesystem::create_symlink(self_path(), name);
  Bpftrap bpftrap({"exec", "--name", "ns-outside"}, inside());
  bpftrap.await_start();
  Child([&] { return exec_argv(name, {name, "--workload", "nothing"}, ""); }).wait();
  bpftrap.await([&] { return bpftrap.lines().size() == 3; });
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const std::string& line : {bpftrap.lines()[1], bpftrap.lines()[2]}) {
    std::istringstream words(line);
    std::string time, event, pid, parent;
    words >> time >> event >> pid >> parent;
    EXPECT_EQ(pid, "-") << line;
    EXPECT_TRUE(parent.ends_with("[-]")) << line;
  }
}

// A process outside has the number that one inside has, and executes programs as that one does.
class SameNumberTest : public PidNamespaceTest {
 protected:
  // bpftrap ARGS... NUMBER traces exactly the process inside.
  void expect_inner(const Words& args, const std::function<int()>& body) {
    for (int i = 0; i < 20; ++i) {
      enum Word { go, ready };
      SharedWords words;
      Child outer([&] {
        await_word(words, go);
        return exec_self({"exit", "9"});
      });
      Bpftrap bpftrap(args + Words{std::to_string(outer.pid())}, {.before_exec = [&] {
                        enter_pid_namespace();
                        if (fork_as(outer.pid()) == 0) {
                          words[ready] = 1;
                          await_word(words, go);
                          ::_exit(body());
                        }
                        await_word(words, ready);
                      }});
      bpftrap.await_start();
      words[go] = 1;
      outer.wait();
      bpftrap.await([&] { return !traced(bpftrap, "exit").empty(); });
      bpftrap.stop();
      std::vector<Record> all = traced(bpftrap);
      ASSERT_EQ(all.size(), 2U) << bpftrap.errors();
      for (const Record& record : all) {
        EXPECT_EQ(record.number("local_pid"), static_cast<std::uint64_t>(outer.pid()));
        EXPECT_NE(record.number("pid"), static_cast<std::uint64_t>(outer.pid()));
      }
      EXPECT_EQ(all[1].number("exit_code"), 6U);
    }
  }
};

TEST_F(SameNumberTest, PidIsOfBpftrapsNamespace) {
  expect_inner({"exec", "--json", "--pid"}, [] { return exec_self({"exit", "6"}); });
}

TEST_F(SameNumberTest, TreeIsOfBpftrapsNamespace) {
  expect_inner({"exec", "--json", "--tree"}, [] { return exec_self({"exit", "6"}); });
}

TEST_F(SameNumberTest, TreeWhoseSecondThreadExecutes) {
  SharedWords go;
  Bpftrap bpftrap({"exec", "--json", "--tree", "2"}, {.before_exec = [&] {
                    enter_pid_namespace();
                    if (::fork() == 0) {
                      await_word(go);
                      ::_exit(exec_self({"then-from-thread", "exit", "6"}));
                    }
                  }});
  bpftrap.await_start();
  go[0] = 1;
  bpftrap.await([&] { return !traced(bpftrap, "exit").empty(); });
  bpftrap.stop();
  ASSERT_EQ(traced(bpftrap, "exec").size(), 2U);
  ASSERT_EQ(traced(bpftrap, "exit").size(), 1U);
  for (const Record& record : traced(bpftrap)) {
    EXPECT_EQ(record.number("local_pid"), 2U);
  }
}

TEST_F(PidNamespaceTest, NumberThatOnlyTheMachineHasIsRefused) {
  for (const char* option : {"--pid", "--tree"}) {
    Outcome outcome = run_bpftrap({"exec", "--json", option, "4000000"}, inside());
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.errors.find("no process 4000000"), std::string::npos) << outcome.errors;
  }
}

TEST_F(PidNamespaceTest, HelloAnswersForItself) {
  for (int i = 0; i < 20; ++i) {
    Bpftrap bpftrap({"hello", "--json", "--count", "1"}, inside());
    ASSERT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
    ASSERT_EQ(bpftrap.records().size(), 3U);
    EXPECT_EQ(bpftrap.records()[1].text("message"), "BPF triggered from PID 1.");
    EXPECT_GT(bpftrap.records()[1].number("pid"), 1U);
  }
}

TEST_F(PidNamespaceTest, HelloAnswersForAnotherProcess) {
  Bpftrap bpftrap({"hello", "--json", "--count", "3", "--pid", "2"}, {.before_exec = [] {
                    enter_pid_namespace();
                    if (::fork() == 0) {
                      ::_exit(exec_self({"write", "10000"}));
                    }
                  }});
  ASSERT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "hello") {
      EXPECT_EQ(record.text("message"), "BPF triggered from PID 2.");
      EXPECT_NE(record.text("comm"), "bpftrap");
    }
  }
}

TEST_F(PidNamespaceTest, WithoutRightsItSaysSoBeforeProgramStarts) {
  Outcome outcome = run_bpftrap(Words{"exec"} + program({"note", notes_, "exit", "0"}),
                                {.before_exec = enter_user_and_pid_namespace});
  if (outcome.status == 120) {
    GTEST_SKIP() << "user namespaces are not allowed here: " << outcome.errors;
  }
  EXPECT_EQ(outcome.status, 125);
  EXPECT_NE(outcome.errors.find("user namespace"), std::string::npos) << outcome.errors;
  EXPECT_TRUE(read_notes(notes_).empty());
  EXPECT_EQ(run_bpftrap({"exec"}, {.before_exec = enter_user_and_pid_namespace}).status, 1);
  EXPECT_EQ(run_bpftrap({"hello"}, {.before_exec = enter_user_and_pid_namespace}).status, 1);
}

// Older processes: their command lines are read from /proc, which has local numbers.
class OlderProcessTest : public PidNamespaceTest {
 protected:
  // The threads that read them end when they have read all.
  static void await_end_of_reading(pid_t pid) {
    auto reads = [pid] { return std::stoul(status_of(pid, "Threads")) > 1; };
    for (int i = 0; i < 10'000 && reads(); ++i) {
      sleep_for(1ms);
    }
    ASSERT_FALSE(reads());
  }
  void expect_command_line(const std::function<void()>& enter) {
    Bpftrap bpftrap({"exit", "--json", "--tree", "2"}, {.before_exec = [&] {
                      enter();
                      if (::fork() == 0) {
                        ::_exit(exec_self({"pause"}));
                      }
                      sleep_for(200ms);  // until it has executed
                    }});
    bpftrap.await_start();
    await_end_of_reading(await_process(bpftrap.pid(), {1}));
    std::uint64_t before = boot_ns_now();
    ASSERT_EQ(::kill(await_process(bpftrap.pid(), {2}), SIGTERM), 0);
    bpftrap.await([&] { return !traced(bpftrap, "exit").empty(); });
    bpftrap.stop();
    Record exit = traced(bpftrap, "exit").front();
    std::vector<std::string> args{self_path(), "--workload", "pause"};
    ASSERT_FALSE(exit.is_null("args"));
    EXPECT_EQ(exit.strings("args"), args);
    EXPECT_GE(exit.number("boot_ns"), before) << "the kernel's time, not the namespace's";
    EXPECT_LE(exit.number("boot_ns"), boot_ns_now());
  }
};

TEST_F(OlderProcessTest, HasItsCommandLine) {
  expect_command_line(enter_pid_namespace);
}

TEST_F(OlderProcessTest, HasItsCommandLineInATimeNamespace) {
  if (!has_time_namespaces()) {
    GTEST_SKIP() << "this kernel is older than time namespaces";
  }
  expect_command_line([] { enter_time_and_pid_namespace(1000); });
}

TEST_F(OlderProcessTest, IsFoundByItsPidInATimeNamespace) {
  if (!has_time_namespaces()) {
    GTEST_SKIP() << "this kernel is older than time namespaces";
  }
  for (const char* option : {"--pid", "--tree"}) {
    SharedWords go;
    Child older([&] {
      await_word(go);
      return exec_self({"exit", "6"});
    });
    Bpftrap bpftrap({"exec", "--json", option, std::to_string(older.pid())},
                    {.before_exec = [] { enter_time_namespace(1000); }});
    bpftrap.await_start();
    go[0] = 1;
    Ended ended = older.wait();
    EXPECT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
    EXPECT_EQ(bpftrap.records_of(ended).size(), 2U) << option;
  }
}

TEST_F(PidNamespaceTest, ProgramKeepsItsStatusAmongOrphans) {
  for (int i = 0; i < 20; ++i) {
    Bpftrap::Setup setup = inside();
    setup.may_lose = !kernel_is_older_than(7, 0);  // recursion misses, which are counted
    Bpftrap bpftrap(Words{"exit", "--json", "--wait-all"} +
                        program({"generations", notes_ + std::to_string(i), "5", "5"}),
                    setup);
    ASSERT_EQ(bpftrap.wait(), 0) << bpftrap.errors();
    std::size_t all = read_notes(notes_ + std::to_string(i)).size();
    std::size_t ends = traced(bpftrap, "exit").size();
    ASSERT_LE(ends, all);
    ASSERT_GE(ends + bpftrap.records().back().number("lost"), all);
  }
}

}  // namespace
}  // namespace e2e
