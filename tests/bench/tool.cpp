// SPDX-License-Identifier: GPL-2.0-only
#include "bench/tool.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "e2e/failure.h"

namespace bench {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

// Every `key: NUMBER` in a file in /proc.
std::map<std::string, std::uint64_t> numbers_of(const std::string& path) {
  std::map<std::string, std::uint64_t> numbers;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::size_t colon = line.find(':');
    if (colon != std::string::npos) {
      numbers[line.substr(0, colon)] = std::strtoull(line.c_str() + colon + 1, nullptr, 10);
    }
  }
  return numbers;
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  if (std::size_t at = text.find(what); at != std::string::npos) {
    text.replace(at, what.size(), by);
  }
}

int run(const ToolSpec& spec, const std::string& output, pid_t workload) {
  int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(out, 1);
  ::dup2(::open((output + ".errors").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
  std::vector<std::string> args = spec.argv;
  std::vector<char*> argv;
  for (std::string& arg : args) {
    replace(arg, "{out}", output);
    replace(arg, "{pid}", std::to_string(workload));
    argv.push_back(arg.data());
  }
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  return 127;
}

// The output of an earlier tool would be taken for that of this one, which is not yet ready then.
e2e::Child start(const ToolSpec& spec, const std::string& output, pid_t workload) {
  ::unlink(output.c_str());
  return e2e::Child([&] { return run(spec, output, workload); });
}

}  // namespace

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

e2e::Ended run_to_end(const ToolSpec& spec, const std::string& output) {
  return e2e::Child([&] { return run(spec, output, 0); }).wait();
}

Tool::Tool(const ToolSpec& spec, const std::string& output, const std::string& probe,
           pid_t workload)
    : child_(start(spec, output, workload)) {
  await_ready(spec, output, probe, workload);
}

void Tool::await_ready(const ToolSpec& spec, const std::string& output, const std::string& probe,
                       pid_t workload) {
  if (spec.ready == Ready::settled) {
    e2e::sleep_for(spec.patience);
  }
  std::string workload_status = "/proc/" + std::to_string(workload) + "/status";
  std::uint64_t begin = e2e::boot_ns_now();
  for (bool ready = spec.ready == Ready::settled; !ready;) {
    e2e::sleep_for(10ms);
    nanoseconds waited(e2e::boot_ns_now() - begin);
    switch (spec.ready) {
      case Ready::output:
        ready = content_of(output).find('\n') != std::string::npos;
        break;
      case Ready::probe:
        e2e::Child([&] { return e2e::exec_argv(probe, {probe}); }).wait();
        // Searches for the base name only, because some tools print the path and some comm.
        ready =
            waited > spec.patience ||
            content_of(output).find(std::filesystem::path(probe).filename()) != std::string::npos;
        break;
      case Ready::file:
        ready = !content_of(output).empty();
        break;
      case Ready::attached:
        ready = numbers_of(workload_status)["TracerPid"] != 0;
        break;
      case Ready::settled:
        break;
    }
    if (waited > e2e::patience) {
      throw e2e::Failure(spec.name + " does not become ready: " + content_of(output + ".errors"));
    }
    if (numbers_of("/proc/" + std::to_string(pid()) + "/status")["VmRSS"] == 0) {
      throw e2e::Failure(spec.name + " has ended: " + content_of(output + ".errors"));
    }
  }
}

nanoseconds Tool::cpu() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid(), &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    throw e2e::Failure("a measured program ended too early");
  }
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

void Tool::drain() const {
  nanoseconds before = cpu();
  for (int i = 0; i < 60; ++i) {
    e2e::sleep_for(50ms);
    nanoseconds now = cpu();
    if (now - before < 1ms) {
      return;
    }
    before = now;
  }
}

BpfTime Tool::bpf_time() const {
  BpfTime total;
  std::map<std::uint64_t, BpfTime> by_program;  // a program may have several descriptors
  std::string directory = "/proc/" + std::to_string(pid()) + "/fdinfo";
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    auto numbers = numbers_of(entry.path());
    if (numbers.contains("run_time_ns")) {
      by_program[numbers["prog_id"]] = {numbers["run_time_ns"], numbers["run_cnt"],
                                        numbers["recursion_misses"]};
    }
  }
  for (const auto& [id, time] : by_program) {
    total.ns += time.ns;
    total.runs += time.runs;
    total.misses += time.misses;
  }
  return total;
}

std::uint64_t Tool::peak_rss_kib() const {
  // ru_maxrss would include the memory from before the exec.
  return numbers_of("/proc/" + std::to_string(pid()) + "/status")["VmHWM"];
}

std::uint64_t Tool::rss_kib() const {
  return numbers_of("/proc/" + std::to_string(pid()) + "/status")["VmRSS"];
}

nanoseconds Tool::stop() {
  std::uint64_t begin = e2e::boot_ns_now();
  child_.kill(SIGINT);
  return nanoseconds(child_.wait().after_end - begin);
}

nanoseconds Tool::await_end() {
  rusage usage = child_.wait().usage;
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

BpfStats::BpfStats() : fd_(::bpf_enable_stats(BPF_STATS_RUN_TIME)) {
  if (fd_ < 0) {
    throw e2e::Failure(std::string("cannot enable BPF statistics: ") + std::strerror(-fd_));
  }
}

BpfStats::~BpfStats() {
  ::close(fd_);
}

}  // namespace bench
