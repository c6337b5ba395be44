// SPDX-License-Identifier: GPL-2.0-only
// Memory: bpftrap forgets a process that has ended even if a filter rejects its end. The oracle is
// the room for command lines, which would be full otherwise: bpftrap then prints a message.
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e/cgroup.h"
#include "e2e/program_fixture.h"
#include "e2e/scope_fixture.h"

namespace e2e {
namespace {

class MemoryTest : public ScopeTest {
 protected:
  void SetUp() override {
    ScopeTest::SetUp();
    if (!IsSkipped() && !new_group()) {
      GTEST_SKIP() << "no memory controller";
    }
  }

  // The kernel frees the maps of a bpftrap some time after its end, so each has a group of its own.
  std::unique_ptr<Group> new_group() {
    return limited_group("/bpftrap-e2e-" + self_ + "-" + std::to_string(groups_++),
                         std::uint64_t{32} << 20);
  }

  // In such a group, long command lines may take 2 MiB. Those of these processes are longer
  // together.
  void expect_forgotten(const Words& args, const std::function<int()>& body) {
    SCOPED_TRACE(testing::PrintToString(args));
    constexpr int processes = 150;
    std::unique_ptr<Group> group = new_group();
    Bpftrap bpftrap(args, {.before_exec = [&] { group->enter(); }});
    bpftrap.await_start();
    for (int i = 0; i < processes; ++i) {
      ASSERT_EQ(Child(body).wait().status, 0);
    }
    EXPECT_EQ(bpftrap.stop(), 0);
    EXPECT_EQ(bpftrap.errors(), "");
  }

  int exec_long(const std::string& path, Words workload) const {
    workload.insert(workload.begin(), {path, "--workload"});
    workload.push_back(std::string(30'000, 'x'));
    return exec_argv(path, workload, "");
  }

  const std::string self_ = std::to_string(::getpid());
  int groups_ = 0;
};

TEST_F(MemoryTest, EndsThatAFilterOfEndsRejects) {
  auto body = [this] { return exec_long(self_path(), {"nothing"}); };
  expect_forgotten({"exec", "--json", "--tree", self_, "--min-duration", "1h"}, body);
  expect_forgotten({"exec", "--json", "--tree", self_, "--failed"}, body);
  expect_forgotten({"exit", "--json", "--tree", self_, "--failed"}, body);
  expect_forgotten({"exec", "--forest", "--tree", self_, "--min-duration", "1h"}, body);
  expect_forgotten({"exec", "--json", "--min-duration", "1h"}, body);
}

TEST_F(MemoryTest, EndsOfOneUser) {
  auto body = [this] {
    ::syscall(SYS_setuid, storm_uid);
    return exec_long(self_path(), {"nothing"});
  };
  expect_forgotten({"exec", "--json", "--user", storm_user, "--min-duration", "1h"}, body);
  expect_forgotten({"exec", "--forest", "--user", storm_user, "--failed"}, body);
}

TEST_F(MemoryTest, ProcessesThatLeaveTheName) {
  link("wanted-memory");
  link("other-memory");
  expect_forgotten({"exit", "--json", "--name", "wanted*"}, [this] {
    return exec_long(directory_ / "wanted-memory", {"then-as", directory_ / "other-memory"});
  });
  for (const char* way : {"then-from-thread", "then-after-leader"}) {
    expect_forgotten({"exit", "--json", "--name", "wanted*"}, [this, way] {
      return exec_long(directory_ / "wanted-memory", {way, "nothing"});
    });
  }
}

}  // namespace
}  // namespace e2e
