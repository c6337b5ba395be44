// SPDX-License-Identifier: GPL-2.0-only
// What `exec` and `exit` make of their records: joins each with what earlier ones told (command
// line, cgroup path) and decides whether it is written.
#pragma once

#include "core/process/cgroup_paths.h"
#include "core/process/command_lines.h"
#include "core/process/descent.h"
#include "core/process/sweep.h"
#include "core/trace/record_handler.h"

namespace bpftrap {

struct ProcessStreamOptions {
  bool write_execs = false;         // those that succeeded
  bool write_failed_execs = false;  // those that failed
  bool write_exits = true;
  // Only exits of processes whose exec was written, as far as they are younger than the tracer.
  bool exits_of_execs_only = false;
  // Command lines of processes that are older than the tracer are wanted.
  bool read_older = false;
  bool forest = false;  // command lines are indented by descent; forks are to be reported
  // Process ids are those that kill() and /proc know. Else there is no sweep, and no reading of
  // older processes.
  bool pids_are_own = true;
  std::size_t command_line_bytes = CommandLines::bytes_most;
};

class ProcessStream final : public RecordHandler, public TraceObserver, public Sweepable {
 public:
  explicit ProcessStream(ProcessStreamOptions options);

  Result handle(std::span<const std::byte> bytes, Sink& sink) override;
  std::uint64_t lost_records(const bpftrap_lost& lost) const override;

  void live(BootTime since) override { live_since_ = since; }
  void account(const bpftrap_lost& lost) override;

  bool wants_sweep() const override;
  void mark_dead() override;
  void forget_dead() override;

  // Whether command lines of older processes are to be read from /proc.
  bool reads_older() const { return options_.read_older; }
  // Reads the next few of them; false when through.
  bool read_older() { return lines_.read_older("/proc"); }

  // Processes whose birth was reported, and whose end neither was nor was found by a sweep.
  std::size_t born() const { return descent_.size(); }

 private:
  Result write(ExecRecord& record, Sink& sink);
  Result write(ExitRecord& record, Sink& sink);
  // Whether the process was there before tracing was live.
  bool is_older(const ProcessId& id) const;
  void warn_of_unmarked(std::uint64_t unmarked);
  void warn_of_refused_lines();

  ProcessStreamOptions options_;
  BootTime live_since_;
  CgroupPaths cgroups_;
  CommandLines lines_;
  Descent descent_;
  std::uint64_t unmarked_ = 0;
  bool refused_told_ = false;
  std::uint64_t lost_ = 0;
  bool lost_since_sweep_ = false;
  BootTime swept_;
};

}  // namespace bpftrap
