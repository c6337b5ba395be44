// SPDX-License-Identifier: GPL-2.0-only
// The critical path of random runs and records.
#include <gtest/gtest.h>

#include <random>

#include "core/analysis/critical_path.h"
#include "core/analysis/run_builder.h"
#include "unit/analysis/made_run.h"
#include "unit/analysis/tiles.h"
#include "unit/wire.h"

namespace bpftrap {
namespace {

using namespace std::literals;
using std::chrono::nanoseconds;

// Any times, accounts and parents.
TEST(CriticalPath, AnyRunIsTiled) {
  std::mt19937_64 random(20);
  for (int round = 0; round < 300; ++round) {
    MadeRun made;
    std::size_t count = 1 + random() % 40;
    auto time = [&] { return nanoseconds(random() % 2000) * 1000; };
    for (std::size_t i = 0; i < count; ++i) {
      nanoseconds start = time();
      Index parent = i == 0 || random() % 10 == 0 ? no_index : static_cast<Index>(random() % i);
      Index index = made.add(parent, start, random() % 10 == 0 ? time() : start + time());
      RunProcess& process = made.at(index);
      process.born = random() % 8 != 0;
      process.ended = random() % 8 != 0;
      process.end_recorded = process.ended && random() % 8 != 0;
      process.older = random() % 20 == 0;
      process.end_parent = random() % 8 == 0 ? no_index : process.end_parent;
      process.cpu.user = nanoseconds(static_cast<std::int64_t>(random() >> (4 + random() % 60)));
      process.cpu_wait = time();
      for (ThreadAccount* account : {&process.at_birth, &process.at_end}) {
        account->tid += random() % 4 == 0 ? 1 : 0;
        account->state = static_cast<std::uint32_t>(random() % 2);
        account->cpu = time();
        account->cpu_wait = nanoseconds(static_cast<std::int64_t>(random() >> (4 + random() % 60)));
        account->voluntary_switches = random() % 4;
      }
      if (random() % 3 == 0) {
        made.execute(index, time(), "x");
        made.execute(index, time(), "y");
      }
    }
    made.run.start = BootTime(random() % 2 == 0 ? 0ns : time());
    RecordedRun& run = made.done();
    for (Index root = 0; root < run.processes.size(); ++root) {
      expect_tiles(critical_path(run, root));
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

// Bytes of records with random content and order.
TEST(CriticalPath, AnyRecordsAreTiled) {
  std::mt19937_64 random(21);
  auto any_process = [&](bpftrap_process& process) {
    process.pid = process.local_pid = static_cast<__u32>(1 + random() % 8);
    process.start_boot_ns = process.pid * 10'000'000ULL + random() % 3;
    process.ppid = static_cast<__u32>(random() % 8);
    process.parent_start_boot_ns = process.ppid * 10'000'000ULL;
  };
  for (int round = 0; round < 300; ++round) {
    RunBuilder builder;
    builder.begin_batch({});
    auto take = [&](const auto& bytes) { builder.take(std::as_bytes(std::span(bytes))); };
    take(encode(HostRecord{}, BootTime(0ns)));
    take(encode(RunRecord{BootTime(random() % 2 == 0 ? 0ns : 30ms), false, true, "record"}));
    for (int i = 0; i < 60; ++i) {
      bpftrap_fork_event fork = wire_fork();
      bpftrap_exit_event exit = wire_exit(0);
      any_process(fork.process);
      any_process(exit.process);
      exit.header.boot_ns = random() % 200'000'000;
      fork.account.runtime_ns = exit.parent.runtime_ns = random() % 100'000'000;
      exit.parent.tid = exit.process.ppid;
      exit.parent.state = static_cast<__u32>(random() % 2);
      exit.runtime_ns = random() >> (random() % 64);
      take(random() % 2 == 0 ? bytes_of(fork) : bytes_of(exit));
    }
    RecordedRun run = builder.finish();
    for (Index root = 0; root < run.processes.size(); ++root) {
      expect_tiles(critical_path(run, root));
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

}  // namespace
}  // namespace bpftrap
