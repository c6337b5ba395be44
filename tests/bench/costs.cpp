// SPDX-License-Identifier: GPL-2.0-only
// The cost of tracing: in the kernel, in bpftrap, in memory, on disk.
#include "bench/costs.h"

#include <filesystem>

#include "bench/bench.h"
#include "bench/subjects.h"

namespace bench {

Cost cost_of(const Bench& bench, const ToolSpec& spec) {
  e2e::StormOptions storm{
      .processes = bench.options.processes, .program = bench.arena.tiny(), .parents = 1};
  Tool tool(spec, bench.arena.output(), bench.arena.probe(), 0);
  BpfTime bpf = tool.bpf_time();
  auto cpu = tool.cpu();
  e2e::make_storm(storm);
  tool.drain();
  auto processes = static_cast<double>(storm.processes);
  Cost cost;
  cost.cpu_ns = static_cast<double>((tool.cpu() - cpu).count()) / processes;
  cost.bpf_ns = static_cast<double>(tool.bpf_time().ns - bpf.ns) / processes;
  cost.peak_rss_mb = static_cast<double>(tool.peak_rss_kib()) * 1024 / 1e6;
  tool.stop();
  return cost;
}

namespace {

void bpf_time(Bench& bench) {
  bench.say("time of BPF programs");
  BpfStats stats;
  for (int round = 0; round < bench.options.rounds; ++round) {
    double empty = cost_of(bench, empty_floor()).bpf_ns;
    if (bench.wants("bpf")) {
      bench.report
          .figure("bpf", "time in BPF programs, a process that executes a program and ends", "µs",
                  4.5)
          .samples.add(cost_of(bench, bpftrap_json()).bpf_ns / 1000);
      bench.report.figure("bpf", "the same of two empty programs", "µs").samples.add(empty / 1000);
    }
    if (bench.wants("rejected")) {
      double rejected = cost_of(bench, bpftrap_json({"--user", "54322"})).bpf_ns;
      bench.report
          .figure("rejected", "the same where --user rejects it, to two empty programs", "ratio",
                  1.5)
          .samples.add(rejected / empty);
    }
  }
}

void own_cpu(Bench& bench) {
  bench.say("CPU time of bpftrap, memory");
  constexpr double records = 2;  // per process
  for (int round = 0; round < bench.options.rounds; ++round) {
    Cost json = cost_of(bench, bpftrap_json());
    Cost table = cost_of(bench, bpftrap_table());
    if (bench.wants("record-cpu")) {
      bench.report.figure("record-cpu", "CPU time of bpftrap, 1000 records, JSON", "ms", 1.45)
          .samples.add(json.cpu_ns / records / 1000);
      bench.report.figure("record-cpu", "the same, table", "ms", 2)
          .samples.add(table.cpu_ns / records / 1000);
    }
    if (bench.wants("rss")) {
      bench.report.figure("rss", "most memory resident (VmHWM) of `exec --json`", "MB", 8)
          .samples.add(json.peak_rss_mb);
    }
  }
}

}  // namespace

void measure_costs(Bench& bench) {
  if (bench.wants("bpf") || bench.wants("rejected")) {
    bpf_time(bench);
  }
  if (bench.wants("record-cpu") || bench.wants("rss")) {
    own_cpu(bench);
  }
  if (bench.wants("size")) {
    bench.report.figure("size", "bpftrap itself, static and stripped", "MB", 3.5)
        .samples.add(static_cast<double>(std::filesystem::file_size(bpftrap_binary())) / 1e6);
  }
}

}  // namespace bench
