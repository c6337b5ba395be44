// SPDX-License-Identifier: GPL-2.0-only
// Runs each workload under every subject, each time directly after a run without a tracer. So other
// activity on the machine cancels out of the ratio.
#include <tuple>

#include "bench/bench.h"
#include "bench/subjects.h"
#include "e2e/failure.h"

namespace bench {

namespace {

std::uint64_t lines_with(const std::string& text, const std::string& what) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    ++count;
    at = text.find('\n', at);
    if (at == std::string::npos) {
      break;
    }
  }
  return count;
}

void add_wall(Row& row, const Workload& workload, const Outcome& outcome) {
  row.wall_unit = workload.make ? "ms a build" : "µs a process";
  row.wall.add(outcome.wall_ns / (workload.make ? 1e6 : 1e3));
}

Outcome without_tracer(Bench& bench, const Workload& workload, std::uint64_t fewer) {
  Outcome outcome = HeldWorkload(bench.arena, workload, fewer).run();
  if (fewer == 1) {
    add_wall(bench.report.row(workload.name, "no tracer"), workload, outcome);
  }
  return outcome;
}

void one_workload(Bench& bench, const ToolSpec& spec, const Workload& workload) {
  std::uint64_t fewer = workload.make ? 1 : spec.fewer;
  Outcome alone = without_tracer(bench, workload, fewer);
  HeldWorkload held(bench.arena, workload, fewer);
  Tool tool(spec, bench.arena.output(), bench.arena.probe(), held.pid());
  auto before = tool.cpu();
  Outcome outcome = held.run();
  double own = 0;
  std::uint64_t missed = 0;
  if (spec.ready == Ready::attached) {  // the tool ends with the workload
    own = static_cast<double>((tool.await_end() - before).count());
  } else {
    tool.drain();
    own = static_cast<double>((tool.cpu() - before).count());
    missed = tool.bpf_time().misses;
    tool.stop();
  }
  double processes = workload.make ? 1 : static_cast<double>(workload.storm.processes / fewer);
  Row& row = bench.report.row(workload.name, spec.name);
  row.missed += missed;
  row.wall_ratio.add(outcome.wall_ns / alone.wall_ns);
  row.cpu_ratio.add((outcome.cpu_ns + own / processes) / alone.cpu_ns);
  add_wall(row, workload, outcome);
  if (!workload.make) {
    row.tool_ms.add(own / processes / 1000);
  }
  std::string output = content_of(bench.arena.output());
  if (spec.text && !workload.make) {
    std::string name = workload.storm.program.substr(workload.storm.program.rfind('/') + 1);
    row.lines.add(static_cast<double>(lines_with(output, name)) / processes);
  }
  if (!spec.peer) {
    std::uint64_t lost = lost_by(output);
    row.lost += lost;
    bench.lost += lost;
  }
}

}  // namespace

void compare(Bench& bench) {
  std::vector<ToolSpec> all = subjects(bench.options.peers);
  for (int round = 0; round < bench.options.rounds; ++round) {
    for (const Workload& workload : bench.arena.workloads(bench.options.processes)) {
      if (!bench.wants(workload.name)) {
        continue;
      }
      for (const ToolSpec& spec : all) {
        // Peers run in one round of three: their figures are for orientation, and some start
        // slowly.
        if (spec.peer && round % 3 != 0) {
          continue;
        }
        bench.say(workload.name + ": " + spec.name);
        one_workload(bench, spec, workload);
      }
    }
  }
  for (const auto& [workload, what, subject, target, ratio] :
       {std::tuple{"pinned", "wall time of a storm on one CPU under exec --json, to that without",
                   "bpftrap exec --json", 1.07, &Row::wall_ratio},
        std::tuple{"pinned", "the same under record", "bpftrap record", 1.07, &Row::wall_ratio},
        std::tuple{"storm", "CPU time of a storm on all CPUs and exec --json, to that without",
                   "bpftrap exec --json", 1.10, &Row::cpu_ratio}}) {
    if (bench.wants(workload)) {
      bench.report.figure(workload, what, "ratio", target).samples =
          bench.report.row(workload, subject).*ratio;
    }
  }
}

}  // namespace bench
