// SPDX-License-Identifier: GPL-2.0-only
// core/analysis/died/search.h: the ends that WHO names, from the bytes of a recording.
#include <gtest/gtest.h>

#include <csignal>
#include <cstddef>
#include <cstring>

#include "bpf/scope.h"
#include "core/analysis/died/search.h"
#include "unit/recording/sample.h"

namespace bpftrap {
namespace {

using namespace std::chrono_literals;
using namespace std::literals;

// The ends of one segment, whose recorder ran in the pid namespace of host_of_sample().
class Segment {
 public:
  explicit Segment(const std::string& who, std::uint64_t last = 1)
      : matcher_(parse_who(who), [](std::string_view name) { return name == "child"; }),
        search_(matcher_, last) {
    search_.begin_segment();
    add(encode(host_of_sample(), BootTime(2s)));
  }

  void add(const std::string& record) { search_.take(std::as_bytes(std::span(record))); }
  // `names`: of the cgroup of all processes that follow, from it up.
  void set_cgroup(std::string_view names) { add(text_of(wire_cgroup(names))); }
  void fork(const bpftrap_process& process) {
    bpftrap_fork_event event = wire_fork();
    event.process = process;
    add(text_of(bytes_of(event)));
  }
  void end(const bpftrap_process& process, int status = 0) {
    bpftrap_exit_event event = wire_exit(status);
    event.process = process;
    add(text_of(bytes_of(event)));
  }
  std::vector<FoundEnd> ends() {
    std::deque<FoundEnd> ends = search_.take_ends();
    return {std::make_move_iterator(ends.begin()), std::make_move_iterator(ends.end())};
  }
  std::vector<Pid> pids() {
    std::vector<Pid> pids;
    for (const FoundEnd& end : ends()) {
      pids.push_back(end.exit.record().process.id.pid);
    }
    return pids;
  }
  const RunGaps& gaps() const { return search_.gaps(); }
  std::vector<LivingMatch> living() const { return search_.living(); }

 private:
  WhoMatcher matcher_;
  DeathSearch search_;
};

bpftrap_process process_of(Pid pid, Pid parent, const char* parent_comm = "parent") {
  bpftrap_process process = wire_process();
  process.pid = process.local_pid = pid;
  process.ppid = process.local_ppid = parent;
  process.start_boot_ns = 3'000'000'000 + pid;
  process.parent_start_boot_ns = parent == 1 ? 10'000'000 : 3'000'000'000 + parent;
  process.ns_pid = pid;
  process.pid_ns_inode = host_of_sample().pid_ns_inode;
  std::strcpy(process.parent_comm, parent_comm);
  return process;
}

TEST(DeathSearchTest, AServiceIsTheChildOfSystemd) {
  Segment segment("web.service", 9);
  segment.set_cgroup("web.service\0system.slice\0"sv);
  segment.end(process_of(50, 1, "systemd"));
  segment.end(process_of(51, 50));
  segment.end(process_of(52, 1000, "systemd"));  // of a user's service manager
  EXPECT_EQ(segment.pids(), (std::vector<Pid>{50, 52}));
  Segment other("web.service");
  other.set_cgroup("webmail.service\0system.slice\0"sv);
  other.end(process_of(50, 1, "systemd"));
  EXPECT_TRUE(other.pids().empty());
}

TEST(DeathSearchTest, AScopeIsTheProcessWhoseParentIsElsewhere) {
  Segment segment("session-3.scope", 9);
  segment.set_cgroup("session-3.scope\0user.slice\0"sv);
  segment.fork(process_of(50, 40));
  segment.fork(process_of(51, 50));
  segment.end(process_of(51, 50));
  segment.end(process_of(50, 40));
  EXPECT_EQ(segment.pids(), std::vector<Pid>{50});
}

TEST(DeathSearchTest, AContainerIsTheFirstProcessOfItsNamespace) {
  std::string id(64, 'a');
  Segment segment("aaaaaaaaaaaa", 9);
  segment.set_cgroup("docker-" + id + ".scope\0system.slice\0"s);
  bpftrap_process init = process_of(50, 40);
  init.ns_pid = 1;
  bpftrap_process worker = process_of(51, 50);
  worker.ns_pid = 7;
  init.pid_ns_inode = worker.pid_ns_inode = 4026532000;
  segment.end(worker);
  segment.end(init);
  EXPECT_EQ(segment.pids(), std::vector<Pid>{50});
  // Without a namespace of its own it is the process that the runtime started.
  Segment plain("aaaaaaaaaaaa", 9);
  plain.set_cgroup("docker-" + id + ".scope\0system.slice\0"s);
  plain.fork(process_of(50, 40));
  plain.end(process_of(51, 50));
  plain.end(process_of(50, 40));
  EXPECT_EQ(plain.pids(), std::vector<Pid>{50});
}

// The kernel kills all others with process 1 of a namespace, by SIGKILL and without a sender.
TEST(DeathSearchTest, ANamespaceEndsByUnsentSigkillOnly) {
  Segment segment("comm:child", 9);
  bpftrap_process init = process_of(50, 40);
  init.ns_pid = 1;
  init.pid_ns_inode = 4026532000;
  std::strcpy(init.comm, "init");
  segment.end(init, 0);
  auto end = [&](Pid pid, int status, bool sent = false) {
    bpftrap_exit_event event = wire_exit(status);
    event.process = process_of(pid, 50);
    event.process.pid_ns_inode = init.pid_ns_inode;
    event.killer = sent ? wire_sender() : bpftrap_sender{};
    segment.add(text_of(bytes_of(event)));
  };
  end(51, SIGKILL);
  end(52, SIGTERM);
  end(53, 1 << 8);
  end(54, SIGKILL, true);
  std::vector<bool> with_namespace;
  for (const FoundEnd& found : segment.ends()) {
    with_namespace.push_back(found.namespace_end != nullptr);
  }
  EXPECT_EQ(with_namespace, (std::vector<bool>{true, false, false, false}));
}

TEST(DeathSearchTest, KeepsAsManyEndsAsAreWanted) {
  constexpr Pid count = 10'000;
  for (std::uint64_t wanted : {std::uint64_t{1}, std::uint64_t{count}, UINT64_MAX}) {
    Segment segment("comm:child", wanted);
    for (Pid pid = 1; pid <= count; ++pid) {
      segment.end(process_of(pid, 1));
    }
    std::vector<Pid> pids = segment.pids();
    EXPECT_GE(pids.size(), std::min<std::uint64_t>(wanted, count));
    EXPECT_EQ(pids.back(), count);
  }
}

// A recording with filters lists older processes as well, but may not have their ends.
TEST(DeathSearchTest, FollowsOlderProcessesUnlessThereAreFilters) {
  bpftrap_process process = process_of(50, 40);
  OlderRecord older{.time = BootTime(4s), .comm = {}};
  older.pid = older.local_pid = 50;
  older.parent = 40;
  older.start_ticks = process.start_boot_ns / BPFTRAP_TICK_NS;
  older.comm = "child";
  for (bool filtered : {false, true}) {
    Segment segment("comm:child");
    segment.add(encode(RunRecord{BootTime(3s), filtered, false, "record"}));
    segment.add(encode(older));
    ASSERT_EQ(segment.living().size(), 1U);
    EXPECT_EQ(segment.living()[0].followed, !filtered);
    Bytes exec = wire_exec("/bin/child", "", std::string_view("child\0", 6), 6);
    std::memcpy(exec.data() + offsetof(bpftrap_exec_event, process), &process, sizeof process);
    segment.add(text_of(exec));
    ASSERT_EQ(segment.living().size(), 1U);
    EXPECT_TRUE(segment.living()[0].followed);
    segment.end(process);
    EXPECT_TRUE(segment.living().empty());
  }
}

TEST(DeathSearchTest, CountsWhatIsMissing) {
  Segment segment("comm:child");
  LossRecord loss{BootTime(4s)};
  loss.lost.records[BPFTRAP_RECORD_EXIT] = 3;
  segment.add(encode(loss));
  segment.add("no record");
  EXPECT_EQ(segment.gaps().lost(), 3U);
  EXPECT_EQ(segment.gaps().malformed, 1U);
}

TEST(RecentEndsTest, CountsLostEndsOfTheHour) {
  ExitRecord death;
  death.time = BootTime(2h);
  RecentEnds recent(death);
  for (auto time : {30min, 90min, 130min}) {
    LossRecord loss{BootTime(time)};
    loss.lost.records[BPFTRAP_RECORD_EXIT] = 2;
    loss.lost.records[BPFTRAP_RECORD_FORK] = 5;
    std::string record = encode(loss);
    recent.take(std::as_bytes(std::span(record)));
  }
  EXPECT_EQ(recent.lost(), 2U);
}

}  // namespace
}  // namespace bpftrap
