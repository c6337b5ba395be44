// SPDX-License-Identifier: GPL-2.0-only
// A recording becomes a run: processes, programs and descent in memory.
#include "core/analysis/run.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "bpf/scope.h"
#include "core/analysis/run_builder.h"
#include "unit/recording/golden.h"
#include "unit/recording/sample.h"

namespace bpftrap {
namespace {

using namespace std::literals;

RecordedRun build(const std::vector<std::string>& records) {
  RunBuilder builder;
  RecordingBatch batch{};
  batch.run = 42;
  builder.begin_batch(batch);
  for (const std::string& record : records) {
    builder.take(std::as_bytes(std::span(record)));
  }
  return builder.finish();
}

template <class Wire>
std::string with_id(Wire wire, Pid pid, std::uint64_t start_ns, Pid parent,
                    std::uint64_t parent_start_ns) {
  wire.process.pid = wire.process.local_pid = pid;
  wire.process.start_boot_ns = start_ns;
  wire.process.ppid = parent;
  wire.process.parent_start_boot_ns = parent_start_ns;
  return text_of(bytes_of(wire));
}

std::vector<std::string> beginning() {
  std::vector<std::string> golden = golden_records_1();
  golden.resize(5);
  return golden;
}

TEST(RecordedRunTest, GoldenRecording) {
  RecordedRun run = build(golden_records_1());
  EXPECT_EQ(run.malformed, 0U);
  EXPECT_EQ(run.host.name, "machine");
  EXPECT_EQ(run.host.cpus, 2U);
  EXPECT_EQ(run.command, "record");
  EXPECT_EQ(run.start, BootTime(2s));
  EXPECT_EQ(run.stop, BootTime(7s));
  EXPECT_TRUE(run.has_stopped);
  EXPECT_EQ(run.clock.to_wall(BootTime(1s)).ns, 1'001'000'000'000);
  EXPECT_EQ(run.users.name(1000), "somebody");
  ASSERT_EQ(run.losses.size(), 1U);
  EXPECT_EQ(run.losses[0].ends, 7U);
  EXPECT_EQ(run.lost(), 7U);
  std::vector<Index> found = run.find(1234, 4'000'000'000);
  ASSERT_EQ(found.size(), 1U);
  const RunProcess& process = run.processes[found[0]];
  EXPECT_TRUE(process.born);
  EXPECT_FALSE(process.older);
  EXPECT_EQ(run.comm(found[0]), "child");
  EXPECT_EQ(run.text(process.cgroup), "/a/b");
  EXPECT_EQ(process.uid, 1000U);
  EXPECT_TRUE(process.end_recorded);
  EXPECT_EQ(process.end, BootTime(6s));
  EXPECT_EQ(process.wait_status, 3 << 8);
  EXPECT_EQ(process.at_birth.tid, 1201U);
  EXPECT_TRUE(process.at_end.blocked());
  EXPECT_FALSE(process.at_birth.blocked());
  const RunExec* exec = run.last_program(found[0]);
  ASSERT_NE(exec, nullptr);
  EXPECT_EQ(exec->time, BootTime(5s));
  EXPECT_EQ(run.text(exec->filename), "/bin/x");
  EXPECT_EQ(run.text(exec->args), "x\0a b\0"sv);
  EXPECT_EQ(run.args(found[0]), "x\0a b\0"sv);
  EXPECT_EQ(run.program_at(found[0], BootTime(4999ms)), nullptr);
  EXPECT_EQ(run.program_at(found[0], BootTime(5s)), exec);
  const RunSignals* signals = run.signals_of(found[0]);
  ASSERT_NE(signals, nullptr);
  EXPECT_FALSE(signals->killer);
  EXPECT_EQ(signals->last_signal, 15);
  EXPECT_EQ(run.text(signals->last_sender->comm), "systemd");
  ASSERT_NE(process.parent, no_index);
  EXPECT_EQ(run.comm(process.parent), "parent");
  ASSERT_EQ(run.children(process.parent).size(), 1U);
  EXPECT_EQ(run.children(process.parent)[0], found[0]);
}

TEST(RecordedRunTest, ProcessesShareAnIdentityUntilItChanges) {
  std::vector<std::string> records = beginning();
  auto add = [&records](Pid pid, std::uint32_t gid, Pid group) {
    bpftrap_fork_event fork = wire_fork();
    fork.process.gid = gid;
    fork.process.process_group = group;
    records.push_back(with_id(fork, pid, 4'100'000'000 + pid, 10, 1));
  };
  add(50, 7, 50);
  add(51, 7, 50);
  add(52, 8, 50);
  RecordedRun run = build(records);
  auto identity = [&run](Pid pid) { return run.processes[run.find(pid)[0]].identity; };
  EXPECT_EQ(identity(50), identity(51));
  EXPECT_NE(identity(50), identity(52));
  EXPECT_EQ(run.identities[identity(51)].gid, 7U);
  EXPECT_EQ(run.identities[identity(51)].process_group, 50U);
  EXPECT_EQ(run.identities[identity(52)].gid, 8U);
}

// A process that is older than the recording is known by a tick, until a record names its start.
TEST(RecordedRunTest, OlderProcessGetsItsExactStart) {
  std::vector<std::string> records = beginning();
  std::uint64_t start = 77 * std::uint64_t{BPFTRAP_TICK_NS} + 5;
  bpftrap_fork_event fork = wire_fork();
  fork.creator_pid = 10;
  fork.creator_start_boot_ns = start;
  records.push_back(with_id(fork, 50, 4'100'000'000, 10, start));
  RecordedRun run = build(records);
  std::vector<Index> older = run.find(10, start);
  ASSERT_EQ(older.size(), 1U);
  EXPECT_TRUE(run.processes[older[0]].older);
  EXPECT_EQ(run.args(older[0]), "bash\0-l\0"sv);
  EXPECT_EQ(run.children(older[0]).size(), 1U);
  EXPECT_EQ(run.processes[run.children(older[0])[0]].creator, older[0]);
}

TEST(RecordedRunTest, OlderProcessesAreLinkedInAnyOrder) {
  std::vector<std::string> records = beginning();
  records.pop_back();
  records.push_back(encode(OlderRecord{BootTime(2s), 11, 10, 11, 90, "child"}));
  records.push_back(encode(OlderRecord{BootTime(2s), 10, 1, 10, 80, "parent"}));
  RecordedRun run = build(records);
  ASSERT_EQ(run.find(11).size(), 1U);
  EXPECT_EQ(run.processes[run.find(11)[0]].parent, run.find(10)[0]);
}

// It begins before the recording is live.
TEST(RecordedRunTest, ProgramIsTheFirstProcess) {
  std::vector<std::string> records = beginning();
  records[2] = encode(RunRecord{BootTime(2s), true, true, "record"});
  records.push_back(with_id(wire_fork(), 51, 1'990'000'000, 50, 1'980'000'000));
  records.push_back(with_id(wire_fork(), 50, 1'980'000'000, 40, 1'000'000'000));
  RecordedRun run = build(records);
  EXPECT_EQ(run.program, run.find(50)[0]);
  EXPECT_FALSE(run.processes[run.program].older);
  EXPECT_TRUE(run.processes[run.find(40)[0]].older);
  EXPECT_EQ(build(golden_records_1()).program, no_index);
}

TEST(RecordedRunTest, ParentIsThatOfTheBirth) {
  std::vector<std::string> records = beginning();
  records.push_back(with_id(wire_fork(), 50, 4'100'000'000, 40, 3'900'000'000));
  records.push_back(with_id(wire_exit(0), 50, 4'100'000'000, 1, 10'000'000));
  RecordedRun run = build(records);
  Index process = run.find(50)[0];
  EXPECT_EQ(run.processes[run.processes[process].parent].id, (ProcessId{40, 3'900'000'000}));
  EXPECT_EQ(run.processes[run.processes[process].end_parent].id.pid, 1U);
}

TEST(RecordedRunTest, StateCanStayAsItWasAtATime) {
  std::vector<std::string> records = beginning();
  auto add = [&records](Pid pid, std::uint64_t at_ns, const char* comm, std::uint32_t uid) {
    bpftrap_exit_event exit = wire_exit(0);
    exit.header.boot_ns = at_ns;
    exit.process.uid = uid;
    std::strcpy(exit.process.comm, comm);
    records.push_back(with_id(exit, pid, 4'100'000'000, 10, 1));
  };
  records.push_back(with_id(wire_fork(), 50, 4'100'000'000, 10, 1));
  add(50, 7'000'000'000, "later", 0);
  add(51, 7'000'000'000, "found-late", 0);
  RunBuilder builder;
  builder.keep_state_of(BootTime(6s));
  RecordingBatch batch{};
  builder.begin_batch(batch);
  for (const std::string& record : records) {
    builder.take(std::as_bytes(std::span(record)));
  }
  RecordedRun run = builder.finish();
  EXPECT_EQ(run.comm(run.find(50)[0]), "child");
  EXPECT_EQ(run.processes[run.find(50)[0]].uid, 1000U);
  EXPECT_EQ(run.processes[run.find(50)[0]].end, BootTime(7s));
  EXPECT_EQ(run.comm(run.find(51)[0]), "found-late");
  run = build(records);
  EXPECT_EQ(run.comm(run.find(50)[0]), "later");
}

TEST(RecordedRunTest, FinalRecordAmendsCpuTimes) {
  bpftrap_final_event last{};
  last.header = wire_header(BPFTRAP_RECORD_FINAL, sizeof last);
  last.pid = 1234;
  last.start_boot_ns = 4'000'000'000;
  last.flags = BPFTRAP_EXIT_WAIT_KNOWN;
  last.utime_ns = last.runtime_ns = 9'000'000;
  last.run_delay_ns = 800;
  std::vector<std::string> records = golden_records_1();
  records.push_back(text_of(bytes_of(last)));
  RecordedRun run = build(records);
  const RunProcess& process = run.processes[run.find(1234)[0]];
  EXPECT_EQ(process.cpu.user + process.cpu.system, 9ms);
  EXPECT_EQ(process.cpu_wait.get(), 800ns);
  EXPECT_TRUE(process.cpu_final);
}

TEST(RecordedRunTest, StateOfALaterSegmentIsNotCountedTwice) {
  std::vector<std::string> golden = golden_records_1();
  auto as = [](const std::string& record, std::uint8_t kind) {
    return with_kind(std::as_bytes(std::span(record)), kind);
  };
  std::vector<std::string> records(golden.begin(), golden.begin() + 8);
  records.insert(records.end(), golden.begin(), golden.begin() + 6);
  records.push_back(as(golden[6], recorded_birth));
  records.push_back(as(golden[7], recorded_last_exec));
  records.insert(records.end(), golden.begin() + 8, golden.end());
  RecordedRun run = build(records);
  EXPECT_EQ(run.execs.size(), 2U);  // that of the older process, and this one
  // A file that begins there tells the same of it.
  records.erase(records.begin(), records.begin() + 8);
  run = build(records);
  Index process = run.find(1234)[0];
  EXPECT_TRUE(run.processes[process].born);
  EXPECT_EQ(run.args(process), "x\0a b\0"sv);
}

TEST(RecordedRunTest, AnotherBootStartsAgain) {
  RunBuilder builder;
  RecordingBatch batch{};
  auto take = [&builder](const std::vector<std::string>& records) {
    for (const std::string& record : records) {
      builder.take(std::as_bytes(std::span(record)));
    }
  };
  batch.run = 1;
  builder.begin_batch(batch);
  take(golden_records_1());
  batch.run = 2;
  builder.begin_batch(batch);
  std::vector<std::string> records = beginning();
  HostRecord host = host_of_sample();
  host.boot_id = "89ab-cdef";
  records[0] = encode(host, BootTime(2s));
  take(records);
  RecordedRun run = builder.finish();
  EXPECT_EQ(run.host.boot_id, "89ab-cdef");
  EXPECT_EQ(run.earlier_boots, 1U);
  EXPECT_TRUE(run.find(1234).empty());
  EXPECT_EQ(run.find(10).size(), 1U);
}

TEST(RecordedRunTest, ChildrenAreInTheOrderOfTheirStarts) {
  std::vector<std::string> records = beginning();
  std::vector<Pid> pids(2000);
  for (std::size_t i = 0; i < pids.size(); ++i) {
    pids[i] = static_cast<Pid>(2000 + i);
  }
  std::shuffle(pids.begin(), pids.end(), std::mt19937(1));
  for (Pid pid : pids) {
    records.push_back(with_id(wire_fork(), pid, std::uint64_t{pid} * 10'000'000, 100, 5));
  }
  RecordedRun run = build(records);
  std::span<const Index> children = run.children(run.find(100)[0]);
  ASSERT_EQ(children.size(), pids.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    EXPECT_EQ(run.processes[children[i]].id.pid, 2000 + i);
  }
}

TEST(RecordedRunTest, NoProcessDescendsFromItself) {
  std::vector<std::string> records = beginning();
  records.push_back(with_id(wire_fork(), 50, 4'100'000'000, 51, 4'200'000'000));
  records.push_back(with_id(wire_fork(), 51, 4'200'000'000, 52, 4'300'000'000));
  records.push_back(with_id(wire_fork(), 52, 4'300'000'000, 50, 4'100'000'000));
  records.push_back(with_id(wire_fork(), 53, 4'400'000'000, 52, 4'300'000'000));
  RecordedRun run = build(records);
  std::size_t linked = 0;
  for (Pid pid : {50U, 51U, 52U, 53U}) {
    Index at = run.find(pid)[0];
    std::size_t steps = 0;
    for (; at != no_index && steps < 10; ++steps) {
      at = run.processes[at].parent;
    }
    EXPECT_LE(steps, 4U);
    linked += run.children(run.find(pid)[0]).size();
  }
  EXPECT_EQ(linked, 3U);
}

// Random and cut records neither crash nor add a process without an id.
TEST(RecordedRunTest, TakesAnyBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> records = golden_records_1();
    std::shuffle(records.begin() + 3, records.end(), random);
    for (std::string& record : records) {
      if (random() % 2 == 0) {
        record[random() % record.size()] = static_cast<char>(random());
      }
    }
    RecordedRun run = build(records);
    for (Index i = 0; i < run.processes.size(); ++i) {
      for (Index child : run.children(i)) {
        EXPECT_EQ(run.processes[child].parent, i);
      }
    }
  }
}

TEST(TextsTest, StoresEachTextOnce) {
  Texts texts;
  TextId a = texts.add("a");
  EXPECT_EQ(texts.add("a"), a);
  EXPECT_NE(texts.add("b"), a);
  EXPECT_EQ(texts[a], "a");
  EXPECT_EQ(texts.get(TextId::none), std::nullopt);
  EXPECT_EQ(texts.get(texts.add("")), "");
  std::string_view first = texts[a];
  std::vector<TextId> ids;
  for (int i = 0; i < 20000; ++i) {
    ids.push_back(texts.add(std::to_string(i)));
  }
  for (int i = 0; i < 20000; ++i) {
    EXPECT_EQ(texts.add(std::to_string(i)), ids[static_cast<std::size_t>(i)]);
    EXPECT_EQ(texts[ids[static_cast<std::size_t>(i)]], std::to_string(i));
  }
  EXPECT_EQ(first.data(), texts[a].data());
}

TEST(TextsTest, HostileTextsHaveLimits) {
  constexpr std::size_t most = std::size_t{1} << 20;
  Texts texts(most);
  auto path = [](int number, std::size_t size) {
    return "/" + std::to_string(number) + std::string(size, 'x');
  };
  TextId first = texts.add(path(0, 4000));
  int whole = 1;
  while (texts.add(path(whole, 4000)) != TextId::none) {
    ASSERT_LT(++whole, 1000);
  }
  EXPECT_TRUE(texts.crowded());
  EXPECT_EQ(texts.add(path(0, 4000)), first) << "a known one takes no room";
  TextId last = texts.add(path(0, 100));
  EXPECT_EQ(texts[last], path(0, 100));
  for (int i = 0; i < 30000; ++i) {
    texts.add(path(i, 200));
  }
  EXPECT_LT(texts.bytes(), 2 * most + most / 8);
  EXPECT_EQ(texts.add(path(-1, 1)), TextId::none);
  EXPECT_EQ(texts.add(path(0, 100)), last);
}

}  // namespace
}  // namespace bpftrap
