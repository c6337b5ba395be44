// SPDX-License-Identifier: GPL-2.0-only
// --tree: a process, its existing descendants, and its future ones.
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "e2e/failure.h"
#include "e2e/scope_fixture.h"
#include "e2e/scope_workloads.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class ScopeTreeTest : public ScopeTest {
 protected:
  // Starts a child that writes a note, waits, and ends.
  void start_kid(Gate& gate) {
    if (::fork() == 0) {
      note_self(notes_);
      gate.wait();
      ::_exit(4);
    }
  }
  // Starts a grandchild whose parent ends first.
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
        throw Failure("expected processes do not exist");
      }
      sleep_for(1ms);
    }
  }
  // Replaces a second gate: a process that waits at one gate would prevent the other from opening.
  // It gives up after a while, in case the test dies.
  static void wait_for(SharedWords& words) {
    std::uint64_t deadline = boot_ns_now() + 30'000'000'000U;
    while (words[0] == 0 && boot_ns_now() < deadline) {
      sleep_for(1ms);
    }
  }
  // Waits until bpftrap has reported the ends.
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
      start_kid(end);  // a grandchild of bpftrap's root
      wait_for(more);
      start_kid(end);  // born after the start, of a parent other than the root
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
  // Two children, and two orphans, each with a parent and a child.
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

TEST_F(ScopeTreeTest, ThreadThatExistsAlreadyAndExecutesAProgram) {
  Gate gate;
  Child root([&] {
    std::thread([&] {
      gate.wait();
      ::_exit(exec_self({"exit", "3"}));
    }).detach();
    note_self(notes_);
    for (;;) {
      ::pause();
    }
    return 0;
  });
  await_notes(1);
  Bpftrap bpftrap({"exec", "--json", "--tree", std::to_string(root.pid())});
  bpftrap.await_start();
  gate.open();
  ASSERT_EQ(WEXITSTATUS(root.wait().status), 3);
  expect_only(bpftrap, read_notes(notes_), 1);
}

// Ends by process id and start.
using ProcessKey = std::pair<std::uint64_t, std::uint64_t>;
using Ends = std::map<ProcessKey, int>;

ProcessKey key_of(const Ended& process) {
  return {static_cast<std::uint64_t>(process.pid), process.start_ticks};
}

Ends count_ends(const Bpftrap& bpftrap) {
  Ends ends;
  for (const Record& record : bpftrap.records()) {
    if (record.kind() == "exit") {
      ++ends[{record.number("pid"), to_ticks(record.start_ns())}];
    }
  }
  return ends;
}

// Workers start two kinds of processes all the time. Some stay, as do their parents, so they must
// be reported whenever they were born. The others are orphans. If they were born too early, /proc
// does not show their descent.
class BirthsTest : public ScopeTreeTest {
 protected:
  static constexpr int workers = 4;
  static constexpr int staying = 50;  // per worker, each with a child
  enum Word { live, over };

  // Forks the workers, then waits for the end of the test.
  int run_root(Gate& end) {
    note_self(notes_);
    pid_t self = ::getpid();
    for (int worker = 0; worker < workers; ++worker) {
      if (::fork() == 0) {
        note_self(notes_);
        run_worker(self, end);
        end.wait();
        ::_exit(3);
      }
    }
    end.wait();
    return 2;
  }

  void run_worker(pid_t root, Gate& end) {
    for (int i = 0; (i < staying || words_[over] == 0) && ::getppid() == root; ++i) {
      const std::string& file = words_[live] != 0 ? notes_ : early_;
      if (i < staying && ::fork() == 0) {
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
  }

  // Expects one end of each in `certain`, at most one of each in `possible`, and no other end.
  static void expect_ends(Ends ends, const std::vector<Ended>& certain,
                          const std::vector<Ended>& possible) {
    auto wrong = std::count_if(certain.begin(), certain.end(),
                               [&](const Ended& process) { return ends[key_of(process)] != 1; });
    EXPECT_EQ(wrong, 0) << "of " << certain.size() << " without exactly one end";
    for (const Ended& process : possible) {
      EXPECT_LE(ends[key_of(process)], 1);
    }
    for (const std::vector<Ended>* known : {&certain, &possible}) {
      for (const Ended& process : *known) {
        ends.erase(key_of(process));
      }
    }
    EXPECT_TRUE(ends.empty()) << ends.size() << " ends of other processes";
  }

  SharedWords words_;
  std::string early_ = directory_ / "early";
};

TEST_F(BirthsTest, NeitherAGapNorADoubleAgainstThoseBeingBorn) {
  Gate end;
  Child root([&] { return run_root(end); });
  await_notes(1 + workers + 20);
  Bpftrap bpftrap({"exit", "--json", "--tree", std::to_string(root.pid())});
  bpftrap.await_start();
  words_[live] = 1;
  sleep_for(300ms);
  words_[over] = 1;
  constexpr std::size_t least = 1 + workers + workers * staying * 2;
  await_notes(least);
  sleep_for(100ms);
  end.open();
  root.wait();
  std::vector<Ended> notes = read_notes(notes_);
  EXPECT_GT(notes.size(), least) << "no process was born after the start";
  // The processes end by themselves, at any time.
  bpftrap.await([&] {
    Ends ends = count_ends(bpftrap);
    return std::all_of(notes.begin(), notes.end(),
                       [&](const Ended& process) { return ends.contains(key_of(process)); });
  });
  EXPECT_EQ(bpftrap.stop(), 0);
  expect_ends(count_ends(bpftrap), notes, read_notes(early_));
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
  // This process has been waited for, so its pid is free for a while.
  std::string gone = std::to_string(Child([] { return 0; }).wait().pid);
  for (const std::string& pid : {gone, std::string("4194303")}) {
    Outcome outcome = run_bpftrap(
        {"exec", "--json", "--tree", pid, "--output", directory_ / "never", "--timeout", "1"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors.rfind("bpftrap: no process " + pid + " (--tree)", 0), 0U)
        << outcome.errors;
    EXPECT_NE(::access((directory_ / "never").c_str(), F_OK), 0);
  }
}

}  // namespace
}  // namespace e2e
