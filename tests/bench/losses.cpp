// SPDX-License-Identifier: GPL-2.0-only
// Completeness of the records and of argv.
#include <algorithm>
#include <fstream>

#include "bench/bench.h"
#include "bench/subjects.h"
#include "e2e/failure.h"

namespace bench {

namespace {

struct Arrived {
  std::uint64_t execs = 0;
  std::uint64_t whole = 0;
  std::uint64_t exits = 0;
  std::uint64_t lost = 0;
};

// The number behind the last `"lost":` in the last line of a JSON stream.
std::uint64_t lost_of_stop(const std::string& line) {
  std::size_t at = line.rfind("\"lost\":");
  if (!line.starts_with(R"({"event":"stop")") || at == std::string::npos) {
    throw e2e::Failure("bpftrap's output does not end with `stop`");
  }
  return std::strtoull(line.c_str() + at + 7, nullptr, 10);
}

// The records of a storm. `args` is its argv as JSON.
Arrived read_stream(const std::string& path, const std::string& args) {
  Arrived arrived;
  // Selects by the user, which no other process has. The end of a process whose exec was lost has
  // no program name.
  const std::string uid = "\"uid\":" + std::to_string(e2e::storm_uid) + ",";
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line)) {
    if (line.find(uid) != std::string::npos) {
      bool exec = line.starts_with(R"({"event":"exec")");
      ++(exec ? arrived.execs : arrived.exits);
      arrived.whole += line.find(args) != std::string::npos ? 1 : 0;
    }
    last.swap(line);
  }
  arrived.lost = lost_of_stop(last);
  return arrived;
}

void lose(Bench& bench, const std::string& name, const std::vector<std::string>& args) {
  std::uint64_t processes = bench.options.loss_processes;
  bench.say("losses" + name);
  const std::string tiny = bench.arena.tiny();
  Tool tool(bpftrap_json(), bench.arena.output(), bench.arena.probe(), 0);
  e2e::Storm storm = e2e::make_storm({.processes = processes, .program = tiny, .args = args});
  tool.drain();
  tool.stop();
  std::string whole = "\"args\":[\"" + tiny + "\"";
  for (const std::string& arg : args) {
    whole += ",\"" + arg + "\"";
  }
  Arrived arrived = read_stream(bench.arena.output(), whole + "]");
  if (storm.started != processes || storm.wrong_status != 0) {
    throw e2e::Failure("the storm failed");
  }
  std::string of = " of a storm of " + std::to_string(processes) + " processes on all CPUs" + name;
  bench.report.figure("lost", "records lost" + of + ", as bpftrap says", "", 0)
      .samples.add(static_cast<double>(arrived.lost));
  std::uint64_t missing = 2 * processes - arrived.execs - arrived.exits;
  bench.report.figure("lost", "records missing" + of + ", as counted", "", 0)
      .samples.add(static_cast<double>(missing));
  bench.report.figure("lost", "records without the whole argv" + of, "", 0)
      .samples.add(static_cast<double>(arrived.execs + arrived.exits - arrived.whole));
  bench.lost += std::max(arrived.lost, 2 * processes - arrived.whole);
}

}  // namespace

std::uint64_t lost_by(const std::string& output) {
  if (!output.starts_with(R"({"event":"start")")) {
    return 0;
  }
  std::size_t last = output.rfind('\n', output.size() - 2);
  return lost_of_stop(output.substr(last + 1));
}

void measure_losses(Bench& bench) {
  if (bench.wants("lost")) {
    lose(bench, "", {});
    lose(bench, ", 2 KiB of argv each", two_kib_of_args());
  }
}

}  // namespace bench
