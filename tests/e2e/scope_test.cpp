// SPDX-License-Identifier: GPL-2.0-only
// Filters, alone and in pairs, with live processes, while unwanted processes run all the time.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "e2e/scope_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

TEST_F(ScopeTest, PidsOfProcessesThatExistAlready) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Gate gate;
    auto body = [&] {
      gate.wait();
      return exec_self({"exit", "3"});
    };
    Child one(body), other(body), unwanted(body);
    Bpftrap bpftrap({command, "--json", "--pid", std::to_string(one.pid()),
                     "-p" + std::to_string(other.pid())});
    bpftrap.await_start();
    gate.open();
    unwanted.wait();
    expect_only(bpftrap, {one.wait(), other.wait()}, command[2] == 'e' ? 1 : 0);
  }
}

TEST_F(ScopeTest, PidThatIsGivenToNoChild) {
  Gate gate;
  Child one([&] {
    gate.wait();
    return WEXITSTATUS(run_workload({"nothing"}).status);
  });
  Bpftrap bpftrap({"exit", "--json", "--pid", std::to_string(one.pid())});
  bpftrap.await_start();
  gate.open();
  expect_only(bpftrap, {one.wait()}, 0);
}

TEST_F(ScopeTest, Users) {
  // Offsets larger than any pid keep these ids unique to this run, too.
  unsigned other_uid = storm_uid + 10'000'000, unwanted_uid = storm_uid + 20'000'000;
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "-u", std::to_string(other_uid)});
  bpftrap.await_start();
  Ended one = Child([&] { return be_user_and_exec(storm_uid); }).wait();
  Child([&] { return be_user_and_exec(unwanted_uid); }).wait();
  Ended other = Child([&] { return be_user_and_exec(other_uid); }).wait();
  ASSERT_EQ(WEXITSTATUS(one.status), 7);
  expect_only(bpftrap, {one, other}, 1);
}

TEST_F(ScopeTest, UserByNameIsTheRealOne) {
  Bpftrap bpftrap({"exit", "--json", "--user", storm_user});
  bpftrap.await_start();
  // Sets the real, effective and saved user.
  auto become = [](unsigned real, unsigned effective) {
    return Child([=] { return static_cast<int>(::syscall(SYS_setresuid, real, effective, 0)); })
        .wait();
  };
  Ended real = become(storm_uid, 0);
  Ended effective = become(0, storm_uid);
  ASSERT_EQ(real.status, 0);
  ASSERT_EQ(effective.status, 0);
  expect_only(bpftrap, {real}, 0);
}

TEST_F(ScopeTest, UserThatAProcessBecomesAfterItsExec) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--user", storm_user});
    bpftrap.await_start();
    // The exec decides about the exit too, so this process is not reported.
    Ended later = Child([&] { return exec_self({"become", storm_user}); }).wait();
    Ended before = Child([&] { return be_user_and_exec(storm_uid); }).wait();
    ASSERT_EQ(later.status, 0);
    expect_only(bpftrap, {before}, command[2] == 'e' ? 1 : 0);
  }
}

TEST_F(ScopeTest, NamesThatMatchGlobs) {
  Bpftrap bpftrap({"exec", "--json", "--name", "want*", "-n", "o?e", "--name=[a-c]x", "-n", "*-end",
                   "-n", "li\\*t"});
  bpftrap.await_start();
  std::vector<Ended> wanted;
  for (const char* name : {"want", "wanted-1", "one", "bx", "the-end", "-end", "li*t",
                           "want-and-longer-than-15-bytes"}) {
    Ended process = run_as(name, {"exit", "3"});
    ASSERT_EQ(WEXITSTATUS(process.status), 3);
    wanted.push_back(process);
  }
  for (const char* name : {"wan", "unwanted", "oe", "onee", "dx", "axx", "the-end-", "lint"}) {
    run_as(name, {"exit", "3"});
  }
  expect_only(bpftrap, wanted, 1);
}

TEST_F(ScopeTest, ExcludedNamesAmongOthers) {
  Bpftrap bpftrap({"exec", "--json", "--name", "want*", "--exclude-name", "*-no", "--exclude-name",
                   "wante[d-f]"});
  bpftrap.await_start();
  std::vector<Ended> wanted;
  for (const char* name : {"want", "wanted-1", "wanteg", "want-no-"}) {
    wanted.push_back(run_as(name, {"exit", "3"}));
    ASSERT_EQ(wanted.back().status, 3 << 8);
  }
  for (const char* name : {"wanted", "wantef", "want-no", "wan", "other"}) {
    run_as(name, {"exit", "3"});
  }
  expect_only(bpftrap, wanted, 1);
}

TEST_F(ScopeTest, ExcludedNameIsJudgedAnewAtEachExec) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    link("hidden-came");
    Bpftrap bpftrap({command, "--json", "--exclude-name", "hidden*"});
    bpftrap.await_start();
    std::size_t execs = command[2] == 'e' ? 1 : 0;
    Ended hidden = run_as("hidden", {"rename", "other"});
    Ended shown = run_as("shown", {"rename", "hidden"});
    // From an excluded name to another.
    Ended left = run_as("hidden-left", {"then", "exit", "3"});
    // From another name to an excluded one: exec still reports the end, exit checks the last exec.
    Ended came = Child([&] {
                   return exec_as("shown", {"then-as", directory_ / "hidden-came"});
                 }).wait();
    ASSERT_EQ(left.status, 3 << 8);
    ASSERT_EQ(came.status, 0);
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.records_of(hidden).size(), 0U);
    EXPECT_EQ(bpftrap.records_of(shown).size(), execs + 1);
    EXPECT_EQ(bpftrap.records_of(left).size(), execs + 1);
    EXPECT_EQ(bpftrap.records_of(came).size(), execs * 2);
  }
}

TEST_F(ScopeTest, NameAtTheExecCountsNotALaterOne) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--name", "wanted*"});
    bpftrap.await_start();
    Ended out = run_as("wanted-out", {"rename", "other"});
    run_as("other-in", {"rename", "wanted"});
    expect_only(bpftrap, {out}, command[2] == 'e' ? 1 : 0);
    EXPECT_EQ(bpftrap.record_of(out, "exit").text("comm"), "other");
  }
}

TEST_F(ScopeTest, NameIsJudgedAnewAtEachExec) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    link("wanted-came");
    Bpftrap bpftrap({command, "--json", "--name", "wanted*"});
    bpftrap.await_start();
    std::size_t execs = command[2] == 'e' ? 1 : 0;
    // From a wanted name to another: exec still reports the end, exit checks the last exec.
    Ended left = run_as("wanted-left", {"then", "exit", "3"});
    // From another name to a wanted one.
    Ended came = Child([&] {
                   return exec_as("other", {"then-as", directory_ / "wanted-came"});
                 }).wait();
    ASSERT_EQ(left.status, 3 << 8);
    ASSERT_EQ(came.status, 0);
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.records_of(left, "exec").size(), execs);
    EXPECT_EQ(bpftrap.records_of(left, "exit").size(), execs);
    EXPECT_EQ(bpftrap.records_of(came, "exec").size(), execs);
    EXPECT_EQ(bpftrap.records_of(came, "exit").size(), 1U);
    EXPECT_EQ(bpftrap.records().size(), 3 + 3 * execs);
  }
}

TEST_F(ScopeTest, NameOfAThreadIsNotThatOfTheProcess) {
  link("wanted-came");
  Bpftrap bpftrap({"exit", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  // A thread other than the leader executes. The filter uses the name of the process, before and
  // after.
  Ended process = run_as("wanted-a", {"then-from-thread", "exit", "3"});
  ASSERT_EQ(process.status, 3 << 8);
  Ended other =
      Child([&] {
        return exec_as("other", {"then-from-thread", "then-as", directory_ / "wanted-came"});
      }).wait();
  ASSERT_EQ(other.status, 0);
  expect_only(bpftrap, {other}, 0);
}

TEST_F(ScopeTest, NameOfAProcessThatExecutesNothing) {
  Gate gate;
  Child before([&] {
    gate.wait();
    ::prctl(PR_SET_NAME, "wanted-before");
    return 0;
  });
  Bpftrap bpftrap({"exit", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  gate.open();
  Ended forked = Child([] { return ::prctl(PR_SET_NAME, "wanted-forked"); }).wait();
  Child([] { return ::prctl(PR_SET_NAME, "unwanted"); }).wait();
  expect_only(bpftrap, {before.wait(), forked}, 0);
}

TEST_F(ScopeTest, Failed) {
  Bpftrap bpftrap({"exit", "--json", "--failed", "--user", storm_user});
  bpftrap.await_start();
  auto end = [](const std::function<int()>& how) {
    return Child([&] {
             ::syscall(SYS_setuid, storm_uid);
             return how();
           })
        .wait();
  };
  Ended status = end([] { return 1; });
  end([] { return 0; });
  Ended signal = end([] { return ::raise(SIGTERM); });
  expect_only(bpftrap, {status, signal}, 0);
}

TEST_F(ScopeTest, MinDuration) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--min-duration", "300ms", "--name", "lived*"});
    bpftrap.await_start();
    run_as("lived-0", {"sleep", "50"});
    Ended longer = run_as("lived-400", {"sleep", "400"});
    run_as("other", {"sleep", "400"});
    expect_only(bpftrap, {longer}, 0);
  }
}

TEST_F(ScopeTest, UserAndName) {
  std::filesystem::create_symlink(tiny_, directory_ / "wanted");
  std::string wanted = directory_ / "wanted";
  auto run = [&](unsigned uid, const std::string& path) {
    return Child([&] {
             ::syscall(SYS_setuid, uid);
             return exec_argv(path, {path});
           })
        .wait();
  };
  for (const char* command : {"exec", "exit"}) {
    Bpftrap bpftrap({command, "--json", "--user", storm_user, "--name", "want*"});
    bpftrap.await_start();
    Ended both = run(storm_uid, wanted);
    run(storm_uid, tiny_);
    run(0, wanted);
    ASSERT_EQ(both.status, 7 << 8);
    expect_only(bpftrap, {both}, command[2] == 'e' ? 1 : 0);
  }
}

TEST_F(ScopeTest, NameAndPid) {
  Gate gate;
  auto body = [&](const char* name) {
    return [this, &gate, name] {
      gate.wait();
      return exec_as(name, {"exit", "3"});
    };
  };
  Child both(body("wanted")), only_name(body("wanted")), only_pid(body("other"));
  Bpftrap bpftrap({"exec", "--json", "--name", "wanted", "--pid", std::to_string(both.pid()),
                   "--pid", std::to_string(only_pid.pid())});
  bpftrap.await_start();
  gate.open();
  only_name.wait();
  only_pid.wait();
  expect_only(bpftrap, {both.wait()}, 1);
}

}  // namespace
}  // namespace e2e
