// SPDX-License-Identifier: GPL-2.0-only
// --cgroup: all kinds of paths, groups below, alone and combined with other filters.
#include <unistd.h>

#include "e2e/cgroup_scope_fixture.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

class ScopeCgroupTest : public CgroupScopeTest {
 protected:
  std::string name(const char* suffix = "") const {
    return "/bpftrap-e2e-scope-" + std::to_string(::getpid()) + suffix;
  }

  static Ended run_in(const Group& group, const Words& workload) {
    return Child([&] {
             group.enter();
             return exec_self(workload);
           })
        .wait();
  }
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
      std::vector<Ended> inside{run_in(wanted, {"nothing"}), run_in(below, {"exit", "3"}),
                                run_in(later, {"nothing"}), run_in(deep, {"nothing"})};
      run_in(sibling, {"nothing"});
      expect_only(bpftrap, inside, command[2] == 'e' ? 1 : 0);
    }
  }
}

TEST_F(ScopeCgroupTest, OneBelowDoesNotBringInTheOneAbove) {
  Group above(root_ + name());
  Group wanted(above.path() + "/wanted");
  Bpftrap bpftrap({"exec", "--json", "-g", wanted.path()});
  bpftrap.await_start();
  run_in(above, {"nothing"});
  expect_only(bpftrap, {run_in(wanted, {"nothing"})}, 1);
}

TEST_F(ScopeCgroupTest, SeveralAreAlternatives) {
  Group one(root_ + name("-1")), other(root_ + name("-2")), unwanted(root_ + name("-3"));
  Bpftrap bpftrap({"exec", "--json", "-g", one.path(), "-g", name("-2")});
  bpftrap.await_start();
  std::vector<Ended> inside{run_in(one, {"nothing"}), run_in(other, {"nothing"})};
  run_in(unwanted, {"nothing"});
  expect_only(bpftrap, inside, 1);
}

TEST_F(ScopeCgroupTest, WhoMovesAfterItsExecStaysWhatItWas) {
  Group wanted(root_ + name());
  Bpftrap bpftrap({"exec", "--json", "--cgroup", wanted.path()});
  bpftrap.await_start();
  auto move_to = [](const std::string& group) { return Words{"move", group + "/cgroup.procs"}; };
  Ended out = run_in(wanted, move_to(root_));
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
  std::vector<Ended> both{run_in(wanted, {"exit", "3"}), run_in(wanted, {"die", "9"})};
  run_in(wanted, {"nothing"});
  run_workload({"exit", "3"});
  expect_only(bpftrap, both, 0);
}

}  // namespace
}  // namespace e2e
