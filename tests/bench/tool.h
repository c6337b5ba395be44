// SPDX-License-Identifier: GPL-2.0-only
// A program whose cost is measured while it runs: bpftrap, a floor, a peer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "e2e/child.h"

namespace bench {

// When a program that was started sees events.
enum class Ready {
  output,    // when it has written something
  probe,     // when a program that is executed on purpose is in its output, or after `patience`
  settled,   // after `patience`, for want of a sign
  attached,  // when it traces the workload (ptrace)
};

struct ToolSpec {
  std::string name;  // in tables
  // The command line; `{out}` stands for its output file, `{pid}` for the workload's process.
  std::vector<std::string> argv;
  Ready ready = Ready::output;
  std::chrono::milliseconds patience{2500};
  std::uint64_t fewer = 1;  // a workload has so many times fewer processes, for it is that slow
  bool text = true;         // its output has lines that name programs
  bool peer = false;        // neither bpftrap nor a floor
};

struct BpfTime {
  std::uint64_t ns = 0;
  std::uint64_t runs = 0;
  std::uint64_t misses = 0;  // events that the kernel left the program out for: it ran already
};

class Tool {
 public:
  // Starts it and waits until it sees events. `output` is written anew; `probe` is a program for
  // Ready::probe. Throws Failure.
  Tool(const ToolSpec& spec, const std::string& output, const std::string& probe, pid_t workload);

  pid_t pid() const { return child_.pid(); }
  // User and system time of all its threads, so far.
  std::chrono::nanoseconds cpu() const;
  // Waits until it has dealt with what has happened: until it hardly needs the CPU.
  void drain() const;
  // What its BPF programs took, while BpfStats lives.
  BpfTime bpf_time() const;
  std::uint64_t peak_rss_kib() const;
  std::uint64_t rss_kib() const;
  // Interrupts it; from the signal to its end.
  std::chrono::nanoseconds stop();
  // Waits until it ends by itself; the CPU time of its whole life.
  std::chrono::nanoseconds await_end();

 private:
  void await_ready(const ToolSpec& spec, const std::string& output, const std::string& probe,
                   pid_t workload);

  e2e::Child child_;
};

// Has the kernel measure the time of every BPF program on the machine, for as long as it lives, by
// BPF_ENABLE_STATS (since 5.8), which leaves the sysctl alone. Throws Failure.
class BpfStats {
 public:
  BpfStats();
  BpfStats(const BpfStats&) = delete;
  BpfStats& operator=(const BpfStats&) = delete;
  ~BpfStats();

 private:
  int fd_;
};

// The whole file.
std::string content_of(const std::string& path);

}  // namespace bench
