// SPDX-License-Identifier: GPL-2.0-only
// What `exec` and `exit` make of their records: joins each with what earlier ones told (command
// line, cgroup path) and decides whether it is written.
#pragma once

#include "core/analysis/summary.h"
#include "core/process/cgroup_paths.h"
#include "core/process/command_lines.h"
#include "core/process/descent.h"
#include "core/trace/tracer.h"

namespace bpftrap {

struct ProcessStreamOptions {
  bool write_execs = false;
  // Only exits of processes whose exec was written, as far as they are younger than the tracer.
  bool exits_of_execs_only = false;
  // Command lines of processes that are older than the tracer are wanted.
  bool read_older = false;
  bool tree_view = false;  // command lines are indented by descent; forks are to be reported
  bool summary = false;    // say at the end what ran, by program name
  bool color = false;      // of the summary's table
  // Process ids are those that kill() and /proc know: else nobody can be found dead, or older.
  bool pids_are_own = true;
  std::size_t command_line_bytes = CommandLines::bytes_most;
};

class ProcessStream final : public RecordHandler {
 public:
  explicit ProcessStream(ProcessStreamOptions options);

  void live(BootTime since) override { live_since_ = since; }
  Result handle(std::span<const std::byte> bytes, Sink& sink) override;
  std::uint64_t lost_records(const bpftrap_lost& lost) const override;
  void look_at(const bpftrap_lost& lost) override;
  bool has_idle_work() const override { return options_.read_older; }
  bool idle() override;
  void finish(Sink& sink) override;
  bool wants_sweep() const override;
  void mark_dead() override;
  void forget_dead() override;

  // Whether each process whose birth was told has ended, be it that its end was told or that a
  // sweep found it dead. The sweep has to begin after the first call: until it is through the
  // answer is no. To be asked when none is born any more but to those, and only where births are
  // reported.
  bool all_ended();

 private:
  Result write(ExecRecord& record, Sink& sink);
  Result write(ExitRecord& record, Sink& sink);
  // Whether the process was there before tracing was live.
  bool is_older(const ProcessId& id) const;

  ProcessStreamOptions options_;
  BootTime live_since_;
  CgroupPaths cgroups_;
  CommandLines lines_;
  std::uint64_t unmarked_ = 0;
  Descent descent_;
  Summary summary_;
  bool refused_told_ = false;
  // Of all_ended(): it was asked, a sweep has begun since, and what came out of it.
  bool asked_ = false;
  bool answering_ = false;
  bool all_ended_ = false;
};

}  // namespace bpftrap
