// SPDX-License-Identifier: GPL-2.0-only
// Filters: each alone and in pairs, against live processes, others running beside all the time.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"
#include "e2e/scope_workloads.h"
#include "e2e/storm.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

// Processes that no filter of these tests wants, one after the other: they execute a program, or
// only end, with 0 or 1.
class Noise {
 public:
  Noise()
      : child_([this] {
          for (;;) {
            run_workload({"exit", "1"});
            Child([] { return 1; }).wait();
            run_workload({"nothing"});
            count_[0] = count_[0] + 1;
          }
          return 0;
        }) {}

  std::uint64_t count() { return count_[0]; }

 private:
  SharedWords count_;
  Child child_;
};

class ScopeTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    if (!IsSkipped()) {
      tiny_ = write_tiny_program(directory_);
      noise_.emplace();
    }
  }

  // This binary under another name; the path.
  std::string link(const std::string& name) {
    std::error_code exists;
    std::filesystem::create_symlink(self_path(), directory_ / name, exists);
    return directory_ / name;
  }
  // For a Child's body.
  int exec_as(const std::string& name, Words workload) {
    std::string path = link(name);
    workload.insert(workload.begin(), {path, "--workload"});
    return exec_argv(path, workload, "");
  }
  Ended run_as(const std::string& name, const Words& workload) {
    return Child([&] { return exec_as(name, workload); }).wait();
  }

  // Ends bpftrap. Exactly these are reported, each by one exit and so many execs, and nobody else.
  void expect_only(Bpftrap& bpftrap, const std::vector<Ended>& wanted, std::size_t execs) {
    sleep_for(20ms);
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_GT(noise_->count(), 0U) << "nothing ran beside";
    std::size_t others = 0;
    for (const Record& record : bpftrap.records()) {
      others += record.has("id") && std::none_of(wanted.begin(), wanted.end(),
                                                 [&](const Ended& process) {
                                                   return is_about(record, process);
                                                 })
                    ? 1
                    : 0;
    }
    EXPECT_EQ(others, 0U) << "records of processes that are not wanted";
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(bpftrap.records_of(wanted[i], "exit").size(), 1U) << "number " << i;
      EXPECT_EQ(bpftrap.records_of(wanted[i], "exec").size(), execs) << "number " << i;
    }
  }

  int be_user_and_exec(unsigned uid) const {
    ::syscall(SYS_setuid, uid);
    return exec_argv(tiny_, {tiny_});
  }

  ScratchDir directory_;
  std::string tiny_;
  std::optional<Noise> noise_;
};

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
  Bpftrap bpftrap({"exec", "--json", "--user", storm_user, "-u", "54322"});
  bpftrap.await_start();
  Ended one = Child([&] { return be_user_and_exec(54321); }).wait();
  Child([&] { return be_user_and_exec(54323); }).wait();
  Ended other = Child([&] { return be_user_and_exec(54322); }).wait();
  ASSERT_EQ(WEXITSTATUS(one.status), 7);
  expect_only(bpftrap, {one, other}, 1);
}

TEST_F(ScopeTest, UserByNameIsTheRealOne) {
  Bpftrap bpftrap({"exit", "--json", "--user", storm_user});
  bpftrap.await_start();
  // Real, effective, saved.
  auto become = [](unsigned real, unsigned effective) {
    return Child([=] { return static_cast<int>(::syscall(SYS_setresuid, real, effective, 0)); })
        .wait();
  };
  Ended real = become(54321, 0);
  Ended effective = become(0, 54321);
  ASSERT_EQ(real.status, 0);
  ASSERT_EQ(effective.status, 0);
  expect_only(bpftrap, {real}, 0);
}

TEST_F(ScopeTest, UserThatAProcessBecomesAfterItsExec) {
  for (const char* command : {"exec", "exit"}) {
    SCOPED_TRACE(command);
    Bpftrap bpftrap({command, "--json", "--user", storm_user});
    bpftrap.await_start();
    // An exit belongs to what its exec was judged, so this one is nobody's.
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
    // From wanted to another: the exec is, the exit is not.
    Ended left = run_as("wanted-left", {"then", "exit", "3"});
    // The other way round.
    Ended came = Child([&] {
                   return exec_as("other", {"then-as", directory_ / "wanted-came"});
                 }).wait();
    ASSERT_EQ(left.status, 3 << 8);
    ASSERT_EQ(came.status, 0);
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.records_of(left, "exec").size(), execs);
    EXPECT_EQ(bpftrap.records_of(left, "exit").size(), 0U);
    EXPECT_EQ(bpftrap.records_of(came, "exec").size(), execs);
    EXPECT_EQ(bpftrap.records_of(came, "exit").size(), 1U);
    EXPECT_EQ(bpftrap.records().size(), 3 + 2 * execs);
  }
}

TEST_F(ScopeTest, NameOfAThreadIsNotThatOfTheProcess) {
  link("wanted-came");
  Bpftrap bpftrap({"exit", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  // Executed by a thread that is no leader; the process's name is what counts, before and after.
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

// Where cgroup v2 is mounted; "" if nowhere.
std::string hierarchy() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string source, target, type;
    fields >> source >> target >> type;
    if (type == "cgroup2") {
      return target;
    }
  }
  return "";
}

// A group of the test's own, empty again when it goes.
class Group {
 public:
  explicit Group(std::string path) : path_(std::move(path)) {
    if (::mkdir(path_.c_str(), 0755) != 0) {
      throw Failure("cannot make the cgroup " + path_);
    }
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { ::rmdir(path_.c_str()); }

  const std::string& path() const { return path_; }
  // This process goes into it.
  void enter() const {
    int fd = ::open((path_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    if (::write(fd, "0", 1) != 1) {
      ::_exit(125);
    }
    ::close(fd);
  }
  Ended run(const Words& workload) const {
    return Child([&] {
             enter();
             return exec_self(workload);
           })
        .wait();
  }

 private:
  std::string path_;
};

class ScopeCgroupTest : public ScopeTest {
 protected:
  void SetUp() override {
    root_ = hierarchy();
    if (root_.empty()) {
      GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
    }
    ScopeTest::SetUp();
  }
  std::string name(const char* suffix = "") const {
    return "/bpftrap-e2e-scope-" + std::to_string(::getpid()) + suffix;
  }

  std::string root_;
};

TEST_F(ScopeCgroupTest, PathsOfAllKindsAndTheSubtree) {
  Group wanted(root_ + name()), sibling(root_ + name("-sibling"));
  Group below(wanted.path() + "/below");
  for (const std::string& path :
       {wanted.path(), wanted.path() + "/", name(), name().substr(1), name() + "/"}) {
    for (const char* command : {"exec", "exit"}) {
      SCOPED_TRACE(command + (" " + path));
      Bpftrap bpftrap({command, "--json", "--cgroup", path});
      bpftrap.await_start();
      Group later(wanted.path() + "/later");
      Group deep(later.path() + "/deep");
      std::vector<Ended> inside{wanted.run({"nothing"}), below.run({"exit", "3"}),
                                later.run({"nothing"}), deep.run({"nothing"})};
      sibling.run({"nothing"});
      expect_only(bpftrap, inside, command[2] == 'e' ? 1 : 0);
    }
  }
}

TEST_F(ScopeCgroupTest, OneBelowDoesNotBringInTheOneAbove) {
  Group above(root_ + name());
  Group wanted(above.path() + "/wanted");
  Bpftrap bpftrap({"exec", "--json", "-g", wanted.path()});
  bpftrap.await_start();
  above.run({"nothing"});
  expect_only(bpftrap, {wanted.run({"nothing"})}, 1);
}

TEST_F(ScopeCgroupTest, SeveralAreAlternatives) {
  Group one(root_ + name("-1")), other(root_ + name("-2")), unwanted(root_ + name("-3"));
  Bpftrap bpftrap({"exec", "--json", "-g", one.path(), "-g", name("-2")});
  bpftrap.await_start();
  std::vector<Ended> inside{one.run({"nothing"}), other.run({"nothing"})};
  unwanted.run({"nothing"});
  expect_only(bpftrap, inside, 1);
}

TEST_F(ScopeCgroupTest, WhoMovesAfterItsExecStaysWhatItWas) {
  Group wanted(root_ + name());
  Bpftrap bpftrap({"exec", "--json", "--cgroup", wanted.path()});
  bpftrap.await_start();
  auto move_to = [](const std::string& group) { return Words{"move", group + "/cgroup.procs"}; };
  Ended out = wanted.run(move_to(root_));
  Ended in = run_workload(move_to(wanted.path()));
  ASSERT_EQ(out.status, 0);
  ASSERT_EQ(in.status, 0);
  expect_only(bpftrap, {out}, 1);
}

TEST_F(ScopeCgroupTest, OneThatIsNotThereIsStatus1) {
  for (const std::string& path : {name("-none"), root_ + name("-none"), std::string("/tmp")}) {
    Outcome outcome = run_bpftrap({"exec", "--cgroup", path});
    EXPECT_EQ(outcome.status, 1) << path;
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors.rfind("bpftrap: ", 0), 0U);
    EXPECT_NE(outcome.errors.find("--cgroup"), std::string::npos) << outcome.errors;
    EXPECT_NE(outcome.errors.find(path), std::string::npos) << outcome.errors;
  }
}

TEST_F(ScopeCgroupTest, AndFailed) {
  Group wanted(root_ + name());
  Bpftrap bpftrap({"exit", "--json", "--cgroup", wanted.path(), "--failed"});
  bpftrap.await_start();
  std::vector<Ended> both{wanted.run({"exit", "3"}), wanted.run({"die", "9"})};
  wanted.run({"nothing"});
  run_workload({"exit", "3"});
  expect_only(bpftrap, both, 0);
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

class ScopeTreeTest : public ScopeTest {
 protected:
  // Notes itself, waits, ends.
  void start_kid(Gate& gate) {
    if (::fork() == 0) {
      note_self(notes_);
      gate.wait();
      ::_exit(4);
    }
  }
  // Of a parent that ends before it does.
  void start_orphan(Gate& gate) {
    if (::fork() == 0) {
      note_self(notes_);
      pid_t parent = ::getpid();
      if (::fork() == 0) {
        while (::getppid() == parent) {
          sleep_for(100us);
        }
        ::setsid();
        start_kid(gate);
        note_self(notes_);
        gate.wait();
        ::_exit(5);
      }
      ::_exit(0);
    }
  }
  void await_notes(std::size_t count) {
    for (int i = 0; read_notes(notes_).size() < count; ++i) {
      if (i == 60'000) {
        throw Failure("processes that are to be there are not");
      }
      sleep_for(1ms);
    }
  }
  // Not a second gate: who waits at the one would keep the other from opening. Gives up in time,
  // for those whom no test ends.
  static void wait_for(SharedWords& words) {
    std::uint64_t deadline = boot_ns_now() + 30'000'000'000U;
    while (words[0] == 0 && boot_ns_now() < deadline) {
      sleep_for(1ms);
    }
  }
  // Until bpftrap has said that they ended.
  void await_exits(Bpftrap& bpftrap, std::size_t count) {
    bpftrap.await([&] {
      return static_cast<std::size_t>(std::count_if(
                 bpftrap.records().begin(), bpftrap.records().end(),
                 [](const Record& record) { return record.kind() == "exit"; })) >= count;
    });
  }

  const std::string notes_ = directory_ / "notes";
};

TEST_F(ScopeTreeTest, DescendantsOfBeforeAndAfterAndTheRootItself) {
  Gate end;
  SharedWords more;
  Child root([&] {
    note_self(notes_);
    start_kid(end);
    if (::fork() == 0) {
      note_self(notes_);
      start_kid(end);  // a grandchild
      wait_for(more);
      start_kid(end);  // of a process that is not the root, after the start
      start_orphan(end);
      end.wait();
      ::_exit(3);
    }
    wait_for(more);
    start_kid(end);
    start_orphan(end);
    end.wait();
    return 2;
  });
  await_notes(4);
  Child parent_of_nobody([&] { return WEXITSTATUS(run_workload({"sleep", "300"}).status); });
  Bpftrap bpftrap({"exit", "--json", "--tree", std::to_string(root.pid())});
  bpftrap.await_start();
  more[0] = 1;
  // Two kids, and two orphans with a parent and a kid each.
  await_notes(4 + 2 + 2 * 3);
  parent_of_nobody.wait();
  end.open();
  ASSERT_EQ(WEXITSTATUS(root.wait().status), 2);
  await_exits(bpftrap, 12);
  expect_only(bpftrap, read_notes(notes_), 0);
}

TEST_F(ScopeTreeTest, ExecsOfDescendants) {
  Gate gate;
  Child root([&] {
    note_self(notes_);
    gate.wait();
    for (int i = 0; i < 3; ++i) {
      run_workload({"note", notes_, "exit", "3"});
    }
    return exec_self({"then", "nothing"});
  });
  await_notes(1);
  Bpftrap bpftrap({"exec", "--json", "--tree", std::to_string(root.pid())});
  bpftrap.await_start();
  gate.open();
  root.wait();
  expect_only(bpftrap, read_notes(notes_), 2);
}

TEST_F(ScopeTreeTest, NeitherAGapNorADoubleAgainstThoseBeingBorn) {
  // Workers start two kinds of processes all the time. Some stay, as do their parents: those have
  // to be seen whenever they were born. The others are orphans, whose descent nothing tells any
  // more where they were born too early.
  enum Word { live, over };
  SharedWords words;
  Gate end;
  const std::string early = directory_ / "early";
  Child root([&] {
    note_self(notes_);
    pid_t self = ::getpid();
    for (int worker = 0; worker < 4; ++worker) {
      if (::fork() != 0) {
        continue;
      }
      note_self(notes_);
      for (int i = 0; (i < 50 || words[over] == 0) && ::getppid() == self; ++i) {
        const std::string& file = words[live] != 0 ? notes_ : early;
        if (i < 50 && ::fork() == 0) {
          note_self(notes_);
          start_kid(end);
          end.wait();
          ::_exit(5);
        }
        pid_t parent = ::fork();
        if (parent == 0) {
          note_self(file);
          if (::fork() == 0) {
            note_self(file);
            sleep_for(1ms);
            ::_exit(6);
          }
          ::_exit(0);
        }
        ::waitpid(parent, nullptr, 0);
      }
      end.wait();
      ::_exit(3);
    }
    end.wait();
    return 2;
  });
  await_notes(5 + 20);
  Bpftrap bpftrap({"exit", "--json", "--tree", std::to_string(root.pid())});
  bpftrap.await_start();
  words[live] = 1;
  sleep_for(300ms);
  words[over] = 1;
  await_notes(5 + 4 * 50 * 2);
  sleep_for(100ms);
  end.open();
  root.wait();
  std::vector<Ended> notes = read_notes(notes_);
  EXPECT_GT(notes.size(), 5U + 4 * 50 * 2) << "none were born after the start";
  sleep_for(300ms);
  EXPECT_EQ(bpftrap.stop(), 0);
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  std::map<Key, int> ends;
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "exit") {
      ++ends[{record.number("pid"), to_ticks(record.start_ns())}];
    }
  }
  auto key = [](const Ended& process) {
    return Key{static_cast<std::uint64_t>(process.pid), process.start_ticks};
  };
  std::size_t wrong = std::count_if(notes.begin(), notes.end(),
                                    [&](const Ended& process) { return ends[key(process)] != 1; });
  EXPECT_EQ(wrong, 0U) << "of " << notes.size() << " not once";
  for (const Ended& process : read_notes(early)) {
    EXPECT_LE(ends[key(process)], 1);
    notes.push_back(process);
  }
  std::size_t seen = 0;
  for (const Ended& process : notes) {
    seen += ends[key(process)] != 0 ? 1 : 0;
  }
  EXPECT_EQ(seen, std::count_if(ends.begin(), ends.end(),
                                [](const auto& entry) { return entry.second != 0; }))
      << "processes of somebody else's";
}

TEST_F(ScopeTreeTest, AndMinDuration) {
  Gate gate;
  Child root([&] {
    gate.wait();
    note_self(notes_);
    Child shorter([&] { return 0; });
    shorter.wait();
    return WEXITSTATUS(run_workload({"note", notes_, "sleep", "400"}).status);
  });
  Bpftrap bpftrap(
      {"exit", "--json", "--tree", std::to_string(root.pid()), "--min-duration", "300ms"});
  bpftrap.await_start();
  gate.open();
  run_workload({"sleep", "400"});
  root.wait();
  expect_only(bpftrap, read_notes(notes_), 0);
  EXPECT_EQ(read_notes(notes_).size(), 2U);
}

TEST_F(ScopeTreeTest, ProcessThatDoesNotExistIsStatus1BeforeAnything) {
  // One that is waited for, so that its pid is nobody's for a while.
  std::string gone = std::to_string(Child([] { return 0; }).wait().pid);
  for (const std::string& pid : {gone, std::string("4194303")}) {
    Outcome outcome = run_bpftrap(
        {"exec", "--json", "--tree", pid, "--output", directory_ / "never", "--timeout", "1"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors.rfind("bpftrap: there is no process " + pid + " (--tree)", 0), 0U)
        << outcome.errors;
    EXPECT_NE(::access((directory_ / "never").c_str(), F_OK), 0);
  }
}

}  // namespace
}  // namespace e2e
