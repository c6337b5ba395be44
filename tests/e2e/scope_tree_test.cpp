// SPDX-License-Identifier: GPL-2.0-only
// --tree: a process, the descendants it has, and those that it will have.
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
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  auto count_ends = [&] {
    std::map<Key, int> ends;
    for (const Record& record : bpftrap.records()) {
      if (record.kind() == "exit") {
        ++ends[{record.number("pid"), to_ticks(record.start_ns())}];
      }
    }
    return ends;
  };
  auto key = [](const Ended& process) {
    return Key{static_cast<std::uint64_t>(process.pid), process.start_ticks};
  };
  // They end by themselves, whenever that is.
  bpftrap.await([&] {
    std::map<Key, int> ends = count_ends();
    return std::all_of(notes.begin(), notes.end(),
                       [&](const Ended& process) { return ends.contains(key(process)); });
  });
  EXPECT_EQ(bpftrap.stop(), 0);
  std::map<Key, int> ends = count_ends();
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
