// SPDX-License-Identifier: GPL-2.0-only
#include "bench/subjects.h"

#include <unistd.h>

#include <cstdlib>

#include "e2e/failure.h"

namespace bench {

namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

// The command lines follow the manuals. Each tool traces all execs, all exits or both,
// line-buffered if possible.
std::vector<ToolSpec> installed_peers() {
  std::vector<ToolSpec> peers;
  auto add = [&](const std::string& path, ToolSpec spec) {
    if (exists(path)) {
      spec.peer = true;
      peers.push_back(std::move(spec));
    }
  };
  add("/usr/sbin/execsnoop.bt",
      {.name = "bpftrace execsnoop.bt", .argv = {"/usr/sbin/execsnoop.bt"}, .ready = Ready::probe});
  add("/usr/sbin/execsnoop",
      {.name = "libbpf-tools execsnoop", .argv = {"/usr/sbin/execsnoop"}, .ready = Ready::probe});
  add("/usr/sbin/exitsnoop",
      {.name = "libbpf-tools exitsnoop", .argv = {"/usr/sbin/exitsnoop"}, .ready = Ready::probe});
  add("/usr/bin/forkstat", {.name = "forkstat -e exec,exit",
                            .argv = {"/usr/bin/forkstat", "-l", "-e", "exec,exit"},
                            .ready = Ready::probe});
  add("/usr/bin/extrace", {.name = "extrace -lt",
                           .argv = {"/usr/bin/extrace", "-f", "-l", "-t", "-o", "{out}"},
                           .ready = Ready::probe});
  if (exists("/sys/kernel/tracing/events")) {
    const std::string events = "sched:sched_process_exec,sched:sched_process_exit";
    add("/usr/bin/perf", {.name = "perf trace",
                          .argv = {"/usr/bin/perf", "trace", "-a", "-e", events, "-o", "{out}"},
                          .ready = Ready::probe});
    add("/usr/bin/perf",
        {.name = "perf record",
         .argv = {"/usr/bin/perf", "record", "-q", "-a", "-e", events, "-o", "{out}"},
         .ready = Ready::settled,
         .patience = std::chrono::milliseconds(1000),
         .text = false});
  }
  add("/usr/bin/strace", {.name = "strace -f",
                          .argv = {"/usr/bin/strace", "-f", "-q", "-e", "trace=execve,exit_group",
                                   "-o", "{out}", "-p", "{pid}"},
                          .ready = Ready::attached,
                          .fewer = 10});
  return peers;
}

ToolSpec floor(const std::string& name, const std::string& kind) {
  return {.name = name, .argv = {e2e::self_path(), "--floor", kind}, .text = false};
}

}  // namespace

std::string bpftrap_binary() {
  const char* path = std::getenv("BPFTRAP_BIN");
  if (path == nullptr) {
    throw e2e::Failure("set BPFTRAP_BIN to the path of the bpftrap to measure");
  }
  return path;
}

ToolSpec bpftrap_json(const std::vector<std::string>& args) {
  ToolSpec spec{.name = "bpftrap exec --json", .argv = {bpftrap_binary(), "exec", "--json"}};
  spec.argv.insert(spec.argv.end(), args.begin(), args.end());
  return spec;
}

ToolSpec bpftrap_table() {
  return {.name = "bpftrap exec", .argv = {bpftrap_binary(), "exec"}};
}

ToolSpec bpftrap_record() {
  // The recording replaces the empty file.
  return {.name = "bpftrap record",
          .argv = {bpftrap_binary(), "record", "--output", "{out}"},
          .ready = Ready::file,
          .text = false};
}

ToolSpec empty_floor() {
  return floor("two empty BPF programs", "empty");
}

std::vector<ToolSpec> subjects(bool with_peers) {
  std::vector<ToolSpec> all{bpftrap_json(),
                            bpftrap_table(),
                            bpftrap_record(),
                            empty_floor(),
                            floor("200 bytes, nobody woken", "submit"),
                            floor("200 bytes, reader woken", "wake")};
  if (with_peers) {
    for (ToolSpec& peer : installed_peers()) {
      all.push_back(std::move(peer));
    }
  }
  return all;
}

}  // namespace bench
