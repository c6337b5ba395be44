// SPDX-License-Identifier: GPL-2.0-only
// Filters, and a program that a thread executes: the thread becomes the leader, and the process
// keeps its verdict and its membership.
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/cgroup.h"
#include "e2e/scope_fixture.h"
#include "e2e/scope_workloads.h"

namespace e2e {
namespace {

class ScopeThreadTest : public ScopeTest {
 protected:
  // How the thread executes: among others, or after the leader has ended.
  static constexpr const char* ways[] = {"then-from-thread", "then-after-leader"};

  void SetUp() override {
    ScopeTest::SetUp();
    if (!IsSkipped()) {
      link("wanted-came");
    }
  }
  static void expect(Bpftrap& bpftrap, const Ended& process, std::size_t execs, std::size_t exits) {
    EXPECT_EQ(bpftrap.records_of(process, "exec").size(), execs);
    EXPECT_EQ(bpftrap.records_of(process, "exit").size(), exits);
  }

  std::string came_ = directory_ / "wanted-came";
};

TEST_F(ScopeThreadTest, NameLeftByAThreadsExecEndsWithTheProcess) {
  Bpftrap bpftrap({"exec", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  std::vector<Ended> left;
  for (int i = 0; i < 20; ++i) {
    for (const char* way : ways) {
      left.push_back(run_as("wanted-left", {way, "exit", "3"}));
      ASSERT_EQ(left.back().status, 3 << 8);
    }
  }
  expect_only(bpftrap, left, 1);
}

TEST_F(ScopeThreadTest, NameLeftTwiceAndReachedAgain) {
  Bpftrap bpftrap({"exec", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  std::vector<Ended> left, back;
  for (const char* one : ways) {
    for (const char* other : ways) {
      left.push_back(run_as("wanted-left", {one, other, "exit", "3"}));
      back.push_back(run_as("wanted-left", {one, other, "then-as", came_}));
      ASSERT_EQ(left.back().status, 3 << 8);
      ASSERT_EQ(back.back().status, 0);
    }
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const Ended& process : left) {
    expect(bpftrap, process, 1, 1);
  }
  for (const Ended& process : back) {
    expect(bpftrap, process, 2, 1);
  }
}

TEST_F(ScopeThreadTest, ExitGoesByTheLastExecWhoeverCalledIt) {
  Bpftrap bpftrap({"exit", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  std::vector<Ended> came;
  for (const char* way : ways) {
    run_as("wanted-left", {way, "exit", "3"});
    came.push_back(Child([&] { return exec_as("other", {way, "then-as", came_}); }).wait());
    ASSERT_EQ(came.back().status, 0);
  }
  expect_only(bpftrap, came, 0);
}

TEST_F(ScopeThreadTest, LeaderThatEndsEarlyWithoutAnotherExec) {
  Bpftrap bpftrap({"exec", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  std::vector<Ended> wanted;
  for (int i = 0; i < 20; ++i) {
    wanted.push_back(run_as("wanted-alone", {"leader-first", "5"}));
    run_as("other", {"leader-first", "5"});
  }
  expect_only(bpftrap, wanted, 1);
}

TEST_F(ScopeThreadTest, User) {
  for (const char* way : ways) {
    SCOPED_TRACE(way);
    Bpftrap bpftrap({"exec", "--json", "--user", storm_user});
    bpftrap.await_start();
    Ended left = Child([&] {
                   ::syscall(SYS_setresuid, storm_uid, 0, 0);
                   return exec_self({"become-then", "0", way, "exit", "3"});
                 }).wait();
    ASSERT_EQ(left.status, 3 << 8);
    expect_only(bpftrap, {left}, 1);
  }
}

TEST_F(ScopeThreadTest, Cgroup) {
  std::string root = hierarchy();
  if (root.empty()) {
    GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
  }
  Group wanted(root + "/bpftrap-e2e-thread-" + std::to_string(::getpid()));
  for (const char* way : ways) {
    SCOPED_TRACE(way);
    Bpftrap bpftrap({"exec", "--json", "--cgroup", wanted.path()});
    bpftrap.await_start();
    Ended left = Child([&] {
                   wanted.enter();
                   return exec_self({"move-then", root + "/cgroup.procs", way, "exit", "3"});
                 }).wait();
    ASSERT_EQ(left.status, 3 << 8);
    expect_only(bpftrap, {left}, 1);
  }
}

// The process and its children are members before and after.
TEST_F(ScopeThreadTest, Tree) {
  for (const char* way : ways) {
    SCOPED_TRACE(way);
    ScratchDir scratch;
    std::string notes = scratch / "notes";
    Gate gate;
    Child root([&] {
      gate.wait();
      return WEXITSTATUS(
          run_workload({"note", notes, way, way, "start", "note", notes, way, "exit", "3"}).status);
    });
    Bpftrap bpftrap({"exit", "--json", "--tree", std::to_string(root.pid())});
    bpftrap.await_start();
    gate.open();
    std::vector<Ended> all{root.wait()};
    ASSERT_EQ(all[0].status, 3 << 8);
    EXPECT_EQ(bpftrap.wait(), 0) << "none of the tree is left";
    for (const Ended& process : read_notes(notes)) {
      all.push_back(process);
    }
    ASSERT_EQ(all.size(), 3U);
    for (const Ended& process : all) {
      expect(bpftrap, process, 0, 1);
    }
    EXPECT_EQ(bpftrap.records().size(), 2 + all.size());
  }
}

// An exec that fails after the other threads are gone kills the process: its segment is where the
// kernel lives.
TEST_F(ScopeThreadTest, ExecThatKillsTheProcess) {
  std::string bad = directory_ / "bad";
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  int fd = ::open(tiny_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::read(fd, &header, sizeof header), static_cast<ssize_t>(sizeof header));
  ASSERT_EQ(::pread(fd, &segment, sizeof segment, static_cast<off_t>(header.e_phoff)),
            static_cast<ssize_t>(sizeof segment));
  ::close(fd);
  segment.p_vaddr = segment.p_paddr = 0xffff'8000'0000'0000 | (segment.p_vaddr & 0xfff);
  fd = ::open(bad.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
  header.e_phoff = sizeof header;
  ASSERT_EQ(::write(fd, &header, sizeof header), static_cast<ssize_t>(sizeof header));
  ASSERT_EQ(::write(fd, &segment, sizeof segment), static_cast<ssize_t>(sizeof segment));
  ASSERT_EQ(::ftruncate(fd, 8192), 0);
  ::close(fd);

  Bpftrap bpftrap({"exec", "--json", "--name", "wanted*"});
  bpftrap.await_start();
  std::vector<Ended> killed;
  for (int i = 0; i < 20; ++i) {
    killed.push_back(run_as("wanted-killed", {"execute-from-thread", bad}));
    ASSERT_TRUE(WIFSIGNALED(killed.back().status));
  }
  expect_only(bpftrap, killed, 1);
}

}  // namespace
}  // namespace e2e
