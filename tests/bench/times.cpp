// SPDX-License-Identifier: GPL-2.0-only
// Waiting times of a user: for the start, for the line of an event, for the end.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "bench/bench.h"
#include "bench/subjects.h"
#include "e2e/failure.h"

namespace bench {

namespace {

using namespace std::chrono_literals;

// A bpftrap whose lines this process reads from a pipe.
class Piped {
 public:
  Piped() : child_(start(fds_, words_)) { ::close(fds_[1]); }
  Piped(const Piped&) = delete;
  Piped& operator=(const Piped&) = delete;
  ~Piped() { ::close(fds_[0]); }

  // Time of its exec, CLOCK_BOOTTIME.
  std::uint64_t executed_at() { return words_[0]; }
  pid_t pid() const { return child_.pid(); }

  // Calls `use(line, read_at)` for each line as it arrives, during the given time.
  template <class Use>
  void read_for(std::chrono::milliseconds time, Use&& use) {
    std::uint64_t end = e2e::boot_ns_now() + static_cast<std::uint64_t>(time.count()) * 1'000'000;
    for (std::uint64_t now = e2e::boot_ns_now(); now < end; now = e2e::boot_ns_now()) {
      pollfd ready{fds_[0], POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>((end - now) / 1'000'000 + 1)) != 1) {
        continue;
      }
      char bytes[65536];
      ssize_t size = ::read(fds_[0], bytes, sizeof bytes);
      std::uint64_t read_at = e2e::boot_ns_now();
      if (size <= 0) {
        return;
      }
      rest_.append(bytes, static_cast<std::size_t>(size));
      std::size_t begin = 0;
      for (std::size_t at = rest_.find('\n'); at != std::string::npos;
           at = rest_.find('\n', begin)) {
        if (!use(rest_.substr(begin, at - begin), read_at)) {
          end = 0;
        }
        begin = at + 1;
      }
      rest_.erase(0, begin);
    }
  }

  // Time at which its first line, `start`, was read.
  std::uint64_t await_start() {
    std::uint64_t at = 0;
    read_for(10s, [&](const std::string&, std::uint64_t read_at) {
      at = read_at;
      return false;
    });
    if (at == 0) {
      throw e2e::Failure("bpftrap does not start");
    }
    return at;
  }

  // Time from the signal to its end, in milliseconds.
  double stop() {
    std::uint64_t begin = e2e::boot_ns_now();
    child_.kill(SIGINT);
    return static_cast<double>(child_.wait().after_end - begin) / 1e6;
  }

 private:
  static e2e::Child start(int (&fds)[2], e2e::SharedWords& words) {
    if (::pipe2(fds, O_CLOEXEC) != 0) {
      throw e2e::Failure("cannot create a pipe");
    }
    std::string binary = bpftrap_binary();
    return e2e::Child([&] {
      ::dup2(fds[1], 1);
      words[0] = e2e::boot_ns_now();
      ::execl(binary.c_str(), binary.c_str(), "exec", "--json", nullptr);
      return 127;
    });
  }

  int fds_[2];
  e2e::SharedWords words_;
  e2e::Child child_;
  std::string rest_;
};

std::uint64_t boot_ns_of(const std::string& line) {
  constexpr const char* key = "\"boot_ns\":";
  std::size_t at = line.find(key);
  return at == std::string::npos ? 0 : std::strtoull(line.c_str() + at + 10, nullptr, 10);
}

// Time from each event of the workload, while `body` runs, until its line is read.
template <class Body>
Samples latencies(Bench& bench, Body&& body) {
  Samples samples;
  Piped bpftrap;
  bpftrap.await_start();
  e2e::Child workload([&] {
    body();
    return 0;
  });
  bool over = false;
  while (!over) {
    // Waits first, so that the last events are read too.
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(workload.pid()), &info, WEXITED | WNOHANG | WNOWAIT);
    over = info.si_pid != 0;
    bpftrap.read_for(200ms, [&](const std::string& line, std::uint64_t read_at) {
      if (line.find(bench.arena.tiny()) != std::string::npos) {
        samples.add(static_cast<double>(read_at - boot_ns_of(line)) / 1e6);
      }
      return true;
    });
  }
  workload.wait();
  bpftrap.stop();
  return samples;
}

void startup_and_stop(Bench& bench) {
  bench.say("startup, stop");
  for (int i = -1; i < 4 * bench.options.rounds; ++i) {
    Piped bpftrap;
    std::uint64_t live = bpftrap.await_start();
    double took = static_cast<double>(live - bpftrap.executed_at()) / 1e6;
    e2e::make_storm(100, bench.arena.tiny());
    bpftrap.read_for(100ms, [](const std::string&, std::uint64_t) { return true; });
    double ending = bpftrap.stop();
    if (i < 0) {
      continue;  // the first run may read the kernel's BTF and bpftrap from disk
    }
    if (bench.wants("startup")) {
      bench.report.figure("startup", "execve() of bpftrap until its line `start` is read", "ms", 15)
          .samples.add(took);
    }
    if (bench.wants("stop")) {
      bench.report.figure("stop", "SIGINT until bpftrap has ended", "ms", 10).samples.add(ending);
    }
  }
}

void latency(Bench& bench) {
  bench.say("latency");
  const std::string tiny = bench.arena.tiny();
  int events = 60 * bench.options.rounds;
  Samples now_and_then = latencies(bench, [&] {
    std::uint64_t random = 1;
    for (int i = 0; i < events; ++i) {
      e2e::make_storm({.processes = 1, .program = tiny, .parents = 1});
      random = random * 6364136223846793005U + 1442695040888963407U;
      e2e::sleep_for(std::chrono::microseconds(3000 + (random >> 33) % 27'000));
    }
  });
  Samples storm = latencies(bench, [&] { e2e::make_storm(bench.options.processes, tiny); });
  auto median = [&](const std::string& what, const Samples& samples, std::optional<double> target) {
    bench.report.figure("latency", what, "ms", target).samples = samples;
  };
  auto worst = [&](const std::string& what, const Samples& samples, std::optional<double> target) {
    if (!samples.empty()) {
      bench.report.figure("latency", what, "ms", target).samples.add(samples.quantile(1));
    }
  };
  median("event until its line is read from a pipe, now and then an event", now_and_then, 15);
  worst("the longest of them", now_and_then, 100);
  median("the same during a storm on all CPUs", storm, std::nullopt);
  worst("the longest of these", storm, std::nullopt);
}

}  // namespace

void measure_times(Bench& bench) {
  if (bench.wants("startup") || bench.wants("stop")) {
    startup_and_stop(bench);
  }
  if (bench.wants("latency")) {
    latency(bench);
  }
}

}  // namespace bench
