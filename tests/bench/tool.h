// SPDX-License-Identifier: GPL-2.0-only
// A program whose cost is measured: bpftrap, a floor, or a peer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "e2e/child.h"

namespace bench {

// The sign that a started program sees events.
enum class Ready {
  output,    // it has written a line
  probe,     // a probe program, executed for this, is in its output; or after `patience`
  settled,   // no sign: after `patience`
  file,      // its output file has any bytes
  attached,  // it traces the workload (ptrace)
};

struct ToolSpec {
  std::string name;  // in tables
  // The command line; `{out}` stands for its output file, `{pid}` for the workload's process.
  std::vector<std::string> argv;
  Ready ready = Ready::output;
  std::chrono::milliseconds patience{2500};
  std::uint64_t fewer = 1;  // divides the number of processes, for slow tools
  bool text = true;         // its output names programs
  bool peer = false;        // neither bpftrap nor a floor
};

struct BpfTime {
  std::uint64_t ns = 0;
  std::uint64_t runs = 0;
  std::uint64_t misses =
      0;  // events for which the kernel skipped the program, because it ran already
};

class Tool {
 public:
  // Starts the program and waits until it sees events. Truncates `output`. `probe` is a program for
  // Ready::probe. Throws Failure.
  Tool(const ToolSpec& spec, const std::string& output, const std::string& probe, pid_t workload);

  pid_t pid() const { return child_.pid(); }
  // User and system time of all its threads, up to now.
  std::chrono::nanoseconds cpu() const;
  // Waits until it has handled all events, that is, until it uses hardly any CPU time.
  void drain() const;
  // Time of its BPF programs, while a BpfStats exists.
  BpfTime bpf_time() const;
  std::uint64_t peak_rss_kib() const;
  std::uint64_t rss_kib() const;
  // Interrupts it. Returns the time from the signal to its end.
  std::chrono::nanoseconds stop();
  // Waits until it ends by itself. Returns the CPU time of its whole life.
  std::chrono::nanoseconds await_end();

 private:
  void await_ready(const ToolSpec& spec, const std::string& output, const std::string& probe,
                   pid_t workload);

  e2e::Child child_;
};

// Runs the program to its end.
e2e::Ended run_to_end(const ToolSpec& spec, const std::string& output);

// Makes the kernel measure the time of every BPF program while this object exists. BPF_ENABLE_STATS
// (since 5.8) does not change the sysctl. Throws Failure.
class BpfStats {
 public:
  BpfStats();
  BpfStats(const BpfStats&) = delete;
  BpfStats& operator=(const BpfStats&) = delete;
  ~BpfStats();

 private:
  int fd_;
};

// The content of a file.
std::string content_of(const std::string& path);

}  // namespace bench
