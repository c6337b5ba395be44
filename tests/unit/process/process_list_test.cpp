// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/process_list.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "bpf/pid_namespace.event.h"
#include "core/os/proc.h"

namespace bpftrap {
namespace {

ListedProcess process(Pid pid, Pid parent, Pid local_pid) {
  return {.pid = pid, .parent = parent, .local_pid = local_pid, .start_ticks = pid};
}

std::vector<Pid> pids_of(std::vector<ListedProcess> processes) {
  std::vector<Pid> pids;
  for (const ListedProcess& listed : processes) {
    pids.push_back(listed.pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

TEST(ProcessList, IsSearchedByLocalPid) {
  ProcessList list({process(1007, 1001, 7), process(1001, 900, 1), process(1002, 1001, 2)});
  ASSERT_TRUE(list.find(7));
  EXPECT_EQ(list.find(7)->pid, 1007U);
  EXPECT_FALSE(list.find(1007));
  EXPECT_FALSE(list.find(3));
  EXPECT_EQ(list.find_initial(1007)->local_pid, 7U);
  EXPECT_FALSE(list.find_initial(7));
  EXPECT_FALSE(ProcessList({}).find(1));
}

TEST(ProcessList, APidThatIsUsedAgainIsAnotherProcess) {
  ProcessList list({process(1001, 900, 1)});
  ListedProcess earlier = process(1001, 900, 1);
  EXPECT_TRUE(list.find(earlier));
  earlier.start_ticks = 5;
  EXPECT_FALSE(list.find(earlier));
  EXPECT_TRUE(list.tree(earlier).empty());
}

TEST(ProcessList, TreeHasDescendantsByInitialPids) {
  ProcessList list({process(11, 10, 2), process(12, 11, 3), process(13, 12, 4), process(14, 10, 5),
                    process(2, 3, 11)});
  EXPECT_EQ(pids_of(list.tree(process(11, 10, 2))), (std::vector<Pid>{11, 12, 13}));
  EXPECT_EQ(pids_of(list.tree(process(14, 10, 5))), (std::vector<Pid>{14}));
}

TEST(ProcessList, RowsOfTheIterator) {
  std::vector<bpftrap_listed_process> rows{{25'000'000, 1001, 900, 1, 0, "init"},
                                           {39'999'999, 1002, 1001, 2, 2, "fifteen bytes.."}};
  std::vector<std::byte> bytes(sizeof rows[0] * rows.size() + 3);
  std::memcpy(bytes.data(), rows.data(), sizeof rows[0] * rows.size());
  ProcessList list = parse_listed_processes(bytes);
  ASSERT_TRUE(list.find(1) && list.find(2));
  EXPECT_EQ(list.find(1)->start_ticks, 2U);
  EXPECT_EQ(list.find(2)->start_ticks, 3U);
  EXPECT_EQ(list.find(1)->state, ListedProcess::State::alive);
  EXPECT_EQ(list.find(2)->state, ListedProcess::State::ended);
  EXPECT_EQ(list.find(2)->parent, 1001U);
  EXPECT_EQ(list.find(1)->comm, "init");
  EXPECT_EQ(list.find(2)->comm, "fifteen bytes..");
}

TEST(ProcessList, ProcKnowsThisProcessAndItsZombie) {
  pid_t child = ::fork();
  if (child == 0) {
    ::_exit(0);
  }
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  ProcessList list = read_process_list("/proc");
  std::optional<ListedProcess> self = list.find(static_cast<Pid>(::getpid()));
  std::optional<ListedProcess> zombie = list.find(static_cast<Pid>(child));
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(self && zombie);
  EXPECT_EQ(self->start_ticks, read_proc_stat("/proc/self")->start_ticks);
  EXPECT_EQ(self->state, ListedProcess::State::alive);
  EXPECT_EQ(zombie->state, ListedProcess::State::ended);
  EXPECT_EQ(zombie->parent, self->pid);
  EXPECT_FALSE(read_listed_process("/proc", 4'194'304));
}

}  // namespace
}  // namespace bpftrap
