// SPDX-License-Identifier: GPL-2.0-only
// The filters of the kernel side, applied to records.
#include "core/process/scope_filter.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t start_of_run = 1'000'000'000;

ProcessId id_of(Pid pid) {
  return {pid, start_of_run + pid};
}

Process process_of(Pid pid, std::string_view comm = "x", std::uint32_t uid = 0) {
  Process process;
  process.id = id_of(pid);
  process.local_pid = pid;
  process.comm = comm;
  process.uid = uid;
  return process;
}

ExecRecord exec_of(const Process& process, int error = 0) {
  ExecRecord record;
  record.process = process;
  record.error = error;
  return record;
}

ExitRecord exit_of(const Process& process, bool executed = true, int status = 0) {
  ExitRecord record;
  record.process = process;
  record.executed = executed;
  record.wait_status = status;
  record.duration = 5ms;
  return record;
}

ForkRecord fork_of(Pid parent, const Process& child) {
  ForkRecord record;
  record.process = child;
  record.process.parent = record.creator = id_of(parent);
  record.process.local_parent = parent;
  return record;
}

// Globs that match one name of one letter.
bpftrap_globs glob_of(char letter) {
  bpftrap_globs globs{};
  globs.starts = 1;
  globs.masks[static_cast<unsigned char>(letter)] = 1;
  globs.accepts = 2;
  return globs;
}

class ScopeFilterTest : public testing::Test {
 protected:
  ScopeFilter filter(const bpftrap_scope& scope, ScopeSelection selection = {}) {
    ScopeFilter made(scope, std::move(selection), users_,
                     [this](const Process&) { return std::optional<std::string_view>(cgroup_); });
    made.live(BootTime(std::chrono::nanoseconds(start_of_run)));
    return made;
  }

  Users users_{""};
  std::string cgroup_ = "/";
};

TEST_F(ScopeFilterTest, NothingAsked) {
  ScopeFilter all = filter({});
  EXPECT_TRUE(all.wants(exec_of(process_of(5))));
  EXPECT_TRUE(all.wants(exit_of(process_of(5))));
  EXPECT_TRUE(all.wants(exit_of(process_of(6), false)));
  ForkRecord fork = fork_of(5, process_of(7));
  EXPECT_FALSE(all.wants(fork)) << "the kernel sends forks on request";
}

TEST_F(ScopeFilterTest, NameIsThatOfTheExec) {
  bpftrap_scope scope{};
  scope.filter_names = 1;
  scope.names = glob_of('a');
  ScopeFilter by_name = filter(scope);
  EXPECT_TRUE(by_name.wants(exec_of(process_of(5, "a"))));
  EXPECT_FALSE(by_name.wants(exec_of(process_of(6, "b"))));
  EXPECT_TRUE(by_name.wants(exit_of(process_of(5, "renamed"))));
  EXPECT_FALSE(by_name.wants(exit_of(process_of(6, "a")))) << "its exec decides";
  // Without an exec, the end decides.
  EXPECT_TRUE(by_name.wants(exit_of(process_of(7, "a"), false)));
  EXPECT_FALSE(by_name.wants(exit_of(process_of(8, "b"), false)));
}

TEST_F(ScopeFilterTest, LastExecDecidesUnlessOneIsEnough) {
  for (bool one_is_enough : {false, true}) {
    bpftrap_scope scope{};
    scope.filter_names = 1;
    scope.names = glob_of('a');
    scope.keep_wanted = one_is_enough ? 1 : 0;
    ScopeFilter by_name = filter(scope);
    EXPECT_TRUE(by_name.wants(exec_of(process_of(5, "a"))));
    EXPECT_FALSE(by_name.wants(exec_of(process_of(5, "b"))));
    EXPECT_EQ(by_name.wants(exit_of(process_of(5, "b"))), one_is_enough);
  }
}

TEST_F(ScopeFilterTest, ExcludedName) {
  bpftrap_scope scope{};
  scope.exclude_names = 1;
  scope.excluded_names = glob_of('a');
  ScopeFilter others = filter(scope);
  EXPECT_FALSE(others.wants(exec_of(process_of(5, "a"))));
  EXPECT_TRUE(others.wants(exec_of(process_of(6, "b"))));
}

TEST_F(ScopeFilterTest, UserByRecordedName) {
  users_.define(7, "seven");
  bpftrap_scope scope{};
  scope.uids_count = 2;
  ScopeFilter by_user = filter(scope, {.users = {"seven", "8"}});
  EXPECT_TRUE(by_user.wants(exec_of(process_of(5, "x", 7))));
  EXPECT_TRUE(by_user.wants(exec_of(process_of(6, "x", 8))));
  EXPECT_FALSE(by_user.wants(exec_of(process_of(7, "x", 9))));
}

TEST_F(ScopeFilterTest, PidOrId) {
  bpftrap_scope scope{};
  scope.filter_pids = 1;
  ScopeFilter by_pid = filter(scope, {.pids = {{5}, {6, id_of(6).start_ns}, {7, 1}}});
  EXPECT_TRUE(by_pid.wants(exec_of(process_of(5))));
  EXPECT_TRUE(by_pid.wants(exec_of(process_of(6))));
  EXPECT_FALSE(by_pid.wants(exec_of(process_of(7)))) << "another start";
}

TEST_F(ScopeFilterTest, CgroupAndBelow) {
  bpftrap_scope scope{};
  scope.cgroups_count = 1;
  auto wants = [&](const char* wanted, const char* path) {
    cgroup_ = path;
    ScopeFilter by_cgroup = filter(scope, {.cgroups = {wanted}});
    return by_cgroup.wants(exec_of(process_of(5)));
  };
  EXPECT_TRUE(wants("/a", "/a"));
  EXPECT_TRUE(wants("/a/", "/a/b"));
  EXPECT_TRUE(wants("/", "/b"));
  EXPECT_FALSE(wants("/a", "/ab"));
  EXPECT_FALSE(wants("/a", "/"));
}

TEST_F(ScopeFilterTest, TreeFollowsForks) {
  bpftrap_scope scope{};
  scope.follow = scope.write_forks = 1;
  ScopeFilter tree = filter(scope, {.trees = {5}});
  ForkRecord child = fork_of(5, process_of(6));
  EXPECT_TRUE(tree.wants(child));
  EXPECT_TRUE(child.wanted);
  ForkRecord grandchild = fork_of(6, process_of(7));
  EXPECT_TRUE(tree.wants(grandchild));
  ForkRecord stranger = fork_of(8, process_of(9));
  EXPECT_FALSE(tree.wants(stranger));
  EXPECT_TRUE(tree.wants(exec_of(process_of(5))));
  EXPECT_TRUE(tree.wants(exit_of(process_of(6))));
  EXPECT_TRUE(tree.wants(exec_of(process_of(7)))) << "its parent has ended";
  EXPECT_FALSE(tree.wants(exec_of(process_of(9))));
}

TEST_F(ScopeFilterTest, TreeOfOlderProcesses) {
  bpftrap_scope scope{};
  scope.follow = 1;
  ScopeFilter tree = filter(scope, {.trees = {5}});
  auto older = [](Pid pid) {
    Process process = process_of(pid);
    process.id.start_ns = pid * BPFTRAP_TICK_NS + 3;
    return process;
  };
  tree.add_older(5, 5, 1, 5);
  tree.add_older(6, 6, 5, 6);
  tree.add_older(7, 7, 6, 7);
  tree.add_older(8, 8, 1, 8);
  EXPECT_TRUE(tree.wants(exec_of(older(7))));
  EXPECT_FALSE(tree.wants(exec_of(older(8))));
  EXPECT_FALSE(tree.wants(exec_of(process_of(7)))) << "another process with that pid";
}

TEST_F(ScopeFilterTest, EndsByStatusAndDuration) {
  bpftrap_scope failed{};
  failed.only_failed = 1;
  EXPECT_FALSE(filter(failed).wants(exit_of(process_of(5))));
  EXPECT_TRUE(filter(failed).wants(exit_of(process_of(5), true, 256)));
  bpftrap_scope longer{};
  longer.min_duration_ns = 5'000'000;
  EXPECT_TRUE(filter(longer).wants(exit_of(process_of(5))));
  longer.min_duration_ns = 5'000'001;
  EXPECT_FALSE(filter(longer).wants(exit_of(process_of(5))));
  bpftrap_scope none{};
  none.no_exits = 1;
  EXPECT_FALSE(filter(none).wants(exit_of(process_of(5))));
}

TEST_F(ScopeFilterTest, EndOfAnOlderProcessOnlyAfterAnExec) {
  bpftrap_scope scope{};
  scope.exits_of_execs = scope.only_executed = 1;
  ScopeFilter reported = filter(scope);
  auto older = [](Pid pid) {
    Process process = process_of(pid);
    process.id.start_ns = pid;
    return process;
  };
  EXPECT_FALSE(reported.wants(exit_of(older(5))));
  EXPECT_TRUE(reported.wants(exec_of(older(6))));
  EXPECT_TRUE(reported.wants(exit_of(older(6))));
  EXPECT_TRUE(reported.wants(exit_of(process_of(7)))) << "younger";
}

TEST_F(ScopeFilterTest, FailedExecIsJudgedByTheCaller) {
  bpftrap_scope scope{};
  scope.filter_names = 1;
  scope.names = glob_of('a');
  ScopeFilter by_name = filter(scope);
  EXPECT_TRUE(by_name.wants(exec_of(process_of(5, "a"), 2)));
  EXPECT_FALSE(by_name.wants(exec_of(process_of(5, "b"), 2)));
}

}  // namespace
}  // namespace bpftrap
