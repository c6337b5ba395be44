// SPDX-License-Identifier: GPL-2.0-only
// Cgroups: the path in a record, and processes that the out-of-memory killer chose.
#include "e2e/cgroup.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "e2e/bpftrap.h"
#include "e2e/failure.h"

namespace e2e {
namespace {

class CgroupTest : public TracingTest {
 protected:
  void SetUp() override {
    TracingTest::SetUp();
    root_ = hierarchy();
    if (!IsSkipped() && root_.empty()) {
      GTEST_SKIP() << "no cgroup v2 hierarchy is mounted";
    }
  }
  std::string name(int number) const {
    return "/bpftrap-e2e-" + std::to_string(::getpid()) + "-" + std::to_string(number);
  }

  std::string root_;
};

TEST_F(CgroupTest, PathIsThatOfTheProcess) {
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Group outer(root_ + name(0));
  Group inner(outer.path() + "/a b\\x2d\x1b[31m");
  Ended process = Child([&] {
                    inner.enter();
                    return exec_self({"nothing"});
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.record_of(process, "exec").maybe_text("cgroup"), name(0) + "/a b\\x2d\x1b[31m");
  EXPECT_EQ(bpftrap.record_of(process, "exit").maybe_text("cgroup"), name(0) + "/a b\\x2d\x1b[31m");
}

TEST_F(CgroupTest, UnitAndContainerInThePath) {
  const std::string id(64, 'c');
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Group unit(root_ + name(0));
  Group scope(unit.path() + "/docker-" + id + ".scope");
  Group service(scope.path() + "/web@a\\x2db.service");
  Ended process = Child([&] {
                    service.enter();
                    return exec_self({"nothing"});
                  }).wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const char* kind : {"exec", "exit"}) {
    EXPECT_EQ(bpftrap.record_of(process, kind).maybe_text("unit"), "web@a\\x2db.service");
    EXPECT_EQ(bpftrap.record_of(process, kind).maybe_text("container_id"), id);
  }
}

std::string own_cgroup(const std::string& prefix) {
  for (const std::string& line : lines_of_file("/proc/self/cgroup")) {
    if (std::size_t at = line.find(prefix); at != std::string::npos) {
      return line.substr(at + prefix.size());
    }
  }
  return "";
}

TEST_F(CgroupTest, PathInAHierarchyOfVersion1) {
  if (own_cgroup("0::") != "/" || hierarchy("memory").empty() || hierarchy("pids").empty()) {
    GTEST_SKIP() << "this machine uses cgroup v2, or has no v1 hierarchy of memory and of pids";
  }
  Bpftrap bpftrap({"exec", "--json"});
  bpftrap.await_start();
  Group memory(hierarchy("memory") + name(0));
  Group pids(hierarchy("pids") + name(1));
  auto run_in = [&](const std::vector<std::string>& groups) {
    return Child([&] {
             for (const std::string& group : groups) {
               if (!write_file(group + "/cgroup.procs", "0")) {
                 ::_exit(125);
               }
             }
             return exec_self({"nothing"});
           })
        .wait();
  };
  Ended in_memory = run_in({memory.path(), hierarchy("pids")});
  Ended in_both = run_in({memory.path(), pids.path()});
  Ended in_pids = run_in({hierarchy("memory"), pids.path()});
  Ended in_none = run_in({hierarchy("memory"), hierarchy("pids")});
  EXPECT_EQ(bpftrap.stop(), 0);
  for (const char* kind : {"exec", "exit"}) {
    EXPECT_EQ(bpftrap.record_of(in_memory, kind).maybe_text("cgroup"), name(0));
    EXPECT_EQ(bpftrap.record_of(in_both, kind).maybe_text("cgroup"), name(0));
    EXPECT_EQ(bpftrap.record_of(in_pids, kind).maybe_text("cgroup"), name(1));
    EXPECT_EQ(bpftrap.record_of(in_none, kind).maybe_text("cgroup"), "/");
  }
}

TEST_F(CgroupTest, PathsOfGroupsThatAreGoneAtOnce) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<Ended> processes;
  for (int i = 0; i < 200; ++i) {
    Group group(root_ + name(i));
    processes.push_back(Child([&] {
                          group.enter();
                          return 0;
                        }).wait());
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(
        bpftrap.record_of(processes[static_cast<std::size_t>(i)], "exit").maybe_text("cgroup"),
        name(i));
  }
}

TEST_F(CgroupTest, PathOfADeepGroup) {
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  std::vector<std::unique_ptr<Group>> groups;
  std::string path = name(0);
  groups.push_back(std::make_unique<Group>(root_ + path));
  for (int depth = 1; depth < 12; ++depth) {
    path += "/" + std::string(static_cast<std::size_t>(10 * depth), 'x');
    groups.push_back(std::make_unique<Group>(root_ + path));
  }
  Ended process = Child([&] {
                    groups.back()->enter();
                    return 0;
                  }).wait();
  while (!groups.empty()) {
    groups.pop_back();
  }
  EXPECT_EQ(bpftrap.stop(), 0);
  EXPECT_EQ(bpftrap.record_of(process, "exit").maybe_text("cgroup"), path);
}

int use_memory(const Group& group, std::size_t size) {
  group.enter();
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::memset(memory, 1, size);
  return 3;
}

TEST_F(CgroupTest, ChosenByTheOutOfMemoryKiller) {
  std::unique_ptr<Group> group = limited_group(name(0));
  if (!group) {
    GTEST_SKIP() << "no memory controller";
  }
  Bpftrap bpftrap({"exit", "--json"});
  bpftrap.await_start();
  Ended modest = Child([&] { return use_memory(*group, 1 << 20); }).wait();
  Ended greedy = Child([&] { return use_memory(*group, 256 << 20); }).wait();
  Child victim([&] {
    use_memory(*group, 1 << 20);
    sleep_for(patience);
    return 0;
  });
  sleep_for(std::chrono::milliseconds(50));
  victim.kill(SIGKILL);
  Ended killed = victim.wait();
  EXPECT_EQ(bpftrap.stop(), 0);
  ASSERT_EQ(WEXITSTATUS(modest.status), 3);
  ASSERT_TRUE(WIFSIGNALED(greedy.status));
  Record record = bpftrap.record_of(greedy, "exit");
  EXPECT_EQ(record.maybe_text("signal"), "SIGKILL");
  EXPECT_TRUE(record.flag("oom_killed"));
  EXPECT_TRUE(record.is_null("killer_pid"));
  EXPECT_FALSE(bpftrap.record_of(modest, "exit").flag("oom_killed"));
  Record other = bpftrap.record_of(killed, "exit");
  EXPECT_FALSE(other.flag("oom_killed"));
  EXPECT_EQ(other.maybe_number("killer_pid"), static_cast<std::uint64_t>(::getpid()));
}

}  // namespace
}  // namespace e2e
