// SPDX-License-Identifier: GPL-2.0-only
// The cost of a recording: to make it, on the disk, to read it.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bench/bench.h"
#include "bench/subjects.h"
#include "e2e/failure.h"

namespace bench {

namespace {

// Counts that `record` prints at its end.
struct Recorded {
  std::uint64_t records = 0;
  std::uint64_t lost = 0;
};

// The number before `word` in `12,345 records, 0 lost`.
std::uint64_t number_before(const std::string& text, const std::string& word) {
  std::size_t end = text.rfind(word);
  std::size_t begin = end == std::string::npos || end == 0 ? 0 : text.rfind(' ', end - 1) + 1;
  if (begin == 0) {
    throw e2e::Failure("`record` does not say what it wrote: " + text);
  }
  std::string digits = text.substr(begin, end - begin);
  digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
  return std::strtoull(digits.c_str(), nullptr, 10);
}

Recorded recorded_by(const std::string& messages) {
  return {number_before(messages, " record"), number_before(messages, " lost")};
}

double bytes_of(const std::string& path) {
  return static_cast<double>(std::filesystem::file_size(path));
}

// The end of a command that this process runs.
struct Finished {
  double cpu_ns = 0;
  double peak_rss_mb = 0;  // or that of this process, if that is more
};

Finished run_to(const std::vector<std::string>& argv, const std::string& output) {
  ToolSpec spec{.name = argv[1], .argv = argv};
  e2e::Ended ended = run_to_end(spec, output);
  if (ended.status != 0) {
    throw e2e::Failure("bpftrap " + argv[1] + " failed: " + content_of(output + ".errors"));
  }
  const rusage& usage = ended.usage;
  return {1e9 * static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              1e3 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
          static_cast<double>(usage.ru_maxrss) * 1024 / 1e6};
}

// CPU time of a recorder in a storm on all CPUs.
double storm_cpu_ns(const Bench& bench, Tool& tool) {
  auto cpu = tool.cpu();
  e2e::make_storm({.processes = 2 * bench.options.processes, .program = bench.arena.tiny()});
  tool.drain();
  return static_cast<double>((tool.cpu() - cpu).count());
}

void recorder_cost(Bench& bench) {
  const std::string output = bench.arena.output();
  Tool tool(bpftrap_record(), output, bench.arena.probe(), 0);
  double cpu = storm_cpu_ns(bench, tool);
  auto rss = static_cast<double>(tool.rss_kib());
  tool.stop();
  Recorded recorded = recorded_by(content_of(output + ".errors"));
  auto records = static_cast<double>(recorded.records);
  bench.lost += recorded.lost;
  auto add = [&bench](const std::string& what, const std::string& unit,
                      std::optional<double> target, double value) {
    bench.report.figure("recorder", what, unit, target).samples.add(value);
  };
  add("CPU time of `record` in a storm, 1000 records", "ms", 0.4, cpu / records / 1000);
  add("bytes of a record in a storm", "", 450, bytes_of(output) / records);
  add("resident memory of `record` after a storm", "MB", 8, rss * 1024 / 1e6);
}

void peer_cost(Bench& bench) {
  for (const ToolSpec& spec : subjects(true)) {
    if (spec.name == "perf record") {
      Tool tool(spec, bench.arena.output(), bench.arena.probe(), 0);
      double cpu = storm_cpu_ns(bench, tool);
      tool.stop();
      auto records = static_cast<double>(2 * 2 * bench.options.processes);
      bench.report
          .figure("recorder", "CPU time of `perf record` of execs and ends, 1000 records", "ms")
          .samples.add(cpu / records / 1000);
      return;
    }
  }
  bench.say("recorder: without `perf record`, which needs linux-perf and a mounted tracefs");
}

void build_size(Bench& bench) {
  const std::string recording = bench.arena.path("build.bpftrap");
  run_to({bpftrap_binary(), "record", "-o", recording, "--", "make", "-s", "-B", "-j2", "-C",
          bench.arena.make_directory()},
         bench.arena.output());
  Recorded recorded = recorded_by(content_of(bench.arena.output() + ".errors"));
  bench.lost += recorded.lost;
  bench.report.figure("recorder", "bytes of a record in the build `make`, deflated", "", 60)
      .samples.add(bytes_of(recording) / static_cast<double>(recorded.records));
}

// Lines of the storm's processes in the output of `show --json`.
std::uint64_t lines_of_storm(const std::string& path) {
  std::ifstream file(path);
  const std::string uid = "\"uid\":" + std::to_string(e2e::storm_uid) + ",";
  std::uint64_t count = 0;
  for (std::string line; std::getline(file, line);) {
    count += line.find(uid) != std::string::npos ? 1 : 0;
  }
  return count;
}

void losses(Bench& bench) {
  std::uint64_t left = bench.options.recorded_processes;
  const std::string recording = bench.arena.output();
  std::string storm = " of a storm of " + std::to_string(left) + " processes on all CPUs";
  bench.say("recorder: losses" + storm);
  Tool tool(bpftrap_record(), recording, bench.arena.probe(), 0);
  for (std::uint64_t part = 0; left > 0; left -= part) {
    part = std::min<std::uint64_t>(left, 100'000);  // a storm has to end within a minute
    e2e::make_storm(part, bench.arena.tiny());
  }
  tool.drain();
  auto rss = static_cast<double>(tool.rss_kib());
  tool.stop();
  Recorded recorded = recorded_by(content_of(recording + ".errors"));
  const std::string shown = bench.arena.path("shown");
  run_to({bpftrap_binary(), "show", recording, "--json"}, shown);
  std::uint64_t missing = 2 * bench.options.recorded_processes - lines_of_storm(shown);
  std::filesystem::remove(shown);
  bench.report.figure("recorder", "records lost" + storm + ", as `record` says", "", 0)
      .samples.add(static_cast<double>(recorded.lost));
  bench.report.figure("recorder", "execs and ends missing" + storm + ", as counted", "", 0)
      .samples.add(static_cast<double>(missing));
  bench.report.figure("recorder", "resident memory of `record` after it", "MB", 8)
      .samples.add(rss * 1024 / 1e6);
  bench.lost += std::max(recorded.lost, missing);
}

// Makes a recording whose batches are deflated, because its processes come slowly. It has at least
// `most` records: the same ones are repeated, each time as another run. Returns their number.
std::uint64_t make_long_recording(Bench& bench, const std::string& path, std::uint64_t most) {
  const std::string once = bench.arena.output();
  Tool tool(bpftrap_record(), once, bench.arena.probe(), 0);
  e2e::make_storm(bench.options.processes / 2, bench.arena.tiny(), 4);
  tool.stop();
  Recorded recorded = recorded_by(content_of(once + ".errors"));
  bench.lost += recorded.lost;
  std::string content = content_of(once);
  std::ofstream file(path, std::ios::binary);
  std::uint64_t records = 0;
  for (; records < most; records += recorded.records) {
    file << content;
  }
  return records;
}

void show_cost(Bench& bench) {
  const std::string recording = bench.arena.path("long.bpftrap");
  std::uint64_t records = make_long_recording(bench, recording, bench.options.shown_records);
  bench.say("recorder: show of " + std::to_string(records) + " records");
  for (int round = 0; round < bench.options.rounds; ++round) {
    Finished json = run_to({bpftrap_binary(), "show", recording, "--json", "--output", "/dev/null",
                            "--event", "fork,exec,failed,exit"},
                           bench.arena.output());
    bench.report
        .figure("recorder", "CPU time of `show --json`, a deflated record (350,000 in a second)",
                "µs", 1e6 / 350'000)
        .samples.add(json.cpu_ns / static_cast<double>(records) / 1000);
    bench.report
        .figure("recorder",
                "most memory resident of `show` of " + std::to_string(records) + " records", "MB",
                32)
        .samples.add(json.peak_rss_mb);
  }
  std::filesystem::remove(recording);
}

}  // namespace

void measure_recordings(Bench& bench) {
  if (!bench.wants("recorder")) {
    return;
  }
  for (int round = 0; round < bench.options.rounds; ++round) {
    bench.say("recorder: CPU time, memory, size");
    recorder_cost(bench);
    if (bench.options.peers) {
      peer_cost(bench);
    }
    build_size(bench);
  }
  losses(bench);
  show_cost(bench);
}

}  // namespace bench
