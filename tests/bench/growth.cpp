// SPDX-License-Identifier: GPL-2.0-only
// Growth of the costs with the number of live processes, and with bpftrap's run time.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "bench/bench.h"
#include "bench/costs.h"
#include "bench/subjects.h"
#include "e2e/failure.h"

namespace bench {

namespace {

using namespace std::chrono_literals;

int wait_for_the_end(void*) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    ::pause();
  }
}

// Idle processes. They share their parent's memory, so they take only kernel memory.
class Crowd {
 public:
  explicit Crowd(std::uint64_t size)
      : parent_([this, size] {
          std::uint64_t born = spawn(size);
          words_[0] = born + 1;
          gate_.wait();
          ::signal(SIGTERM, SIG_IGN);
          ::kill(0, SIGTERM);  // its process group: the crowd
          while (::wait(nullptr) > 0) {
          }
          return 0;
        }) {
    while (words_[0] == 0) {
      e2e::sleep_for(10ms);
    }
    if (words_[0] != size + 1) {
      throw e2e::Failure("cannot start that many processes; use a smaller --alive");
    }
  }
  ~Crowd() {
    gate_.open();
    try {
      parent_.wait();
    } catch (const e2e::Failure&) {
      // The child is killed, and the crowd with it.
    }
  }

 private:
  // Returns the number of started processes.
  static std::uint64_t spawn(std::uint64_t size) {
    constexpr std::size_t stack = 1024;
    std::vector<char> stacks(stack * (size + 1));
    ::setpgid(0, 0);
    for (std::uint64_t i = 0; i < size; ++i) {
      char* top = stacks.data() + stack * (i + 1);
      top -= reinterpret_cast<std::uintptr_t>(top) % 16;
      if (::clone(wait_for_the_end, top, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, nullptr) <
          0) {
        size = i;
      }
    }
    static std::vector<char> kept;
    kept.swap(stacks);  // the processes still use these stacks
    return size;
  }

  e2e::SharedWords words_;
  e2e::Gate gate_;
  e2e::Child parent_;
};

void with_processes_alive(Bench& bench) {
  std::uint64_t many = bench.options.alive;
  BpfStats stats;
  for (int round = 0; round < bench.options.rounds; ++round) {
    Cost few;
    for (std::uint64_t alive : {std::uint64_t{10}, many / 20, many}) {
      bench.say("costs with " + std::to_string(alive) + " processes alive");
      Crowd crowd(alive);
      Cost cost = cost_of(bench, bpftrap_json());
      if (alive == 10) {
        few = cost;
        continue;
      }
      std::string with = " with " + std::to_string(alive) + " processes alive, to that with 10";
      bench.report.figure("alive", "time in BPF programs" + with, "ratio", 1.1)
          .samples.add(cost.bpf_ns / few.bpf_ns);
      bench.report.figure("alive", "CPU time of bpftrap" + with, "ratio", 1.1)
          .samples.add(cost.cpu_ns / few.cpu_ns);
    }
  }
}

// Runs for ten minutes with six storms each, and compares the costs of the last minute with the
// first.
void with_time(Bench& bench) {
  constexpr int minutes = 10;
  Tool tool(bpftrap_json(), bench.arena.output(), bench.arena.probe(), 0);
  Cost first;
  double first_rss = 0;
  BpfStats stats;
  for (int minute = 1; minute <= minutes; ++minute) {
    bench.say("costs in minute " + std::to_string(minute));
    std::uint64_t begin = e2e::boot_ns_now();
    BpfTime bpf = tool.bpf_time();
    auto cpu = tool.cpu();
    for (std::uint64_t storm = 1; storm <= 6; ++storm) {
      e2e::make_storm({.processes = 2000, .program = bench.arena.tiny(), .parents = 1});
      std::uint64_t next = begin + storm * 10'000'000'000;
      if (std::uint64_t now = e2e::boot_ns_now(); now < next) {
        e2e::sleep_for(std::chrono::nanoseconds(next - now));
      }
    }
    Cost cost;
    cost.bpf_ns = static_cast<double>(tool.bpf_time().ns - bpf.ns);
    cost.cpu_ns = static_cast<double>((tool.cpu() - cpu).count());
    auto rss = static_cast<double>(tool.rss_kib());
    if (minute == 1) {
      first = cost;
      first_rss = rss;
    } else if (minute == minutes) {
      auto add = [&](const std::string& what, double ratio) {
        bench.report
            .figure("runtime", what + " in the tenth minute, to that in the first", "ratio", 1.1)
            .samples.add(ratio);
      };
      add("time in BPF programs", cost.bpf_ns / first.bpf_ns);
      add("CPU time of bpftrap", cost.cpu_ns / first.cpu_ns);
      add("resident memory of bpftrap", rss / first_rss);
    }
  }
  tool.stop();
}

}  // namespace

void measure_growth(Bench& bench) {
  if (bench.wants("alive")) {
    with_processes_alive(bench);
  }
  if (bench.wants("runtime")) {
    with_time(bench);
  }
}

}  // namespace bench
