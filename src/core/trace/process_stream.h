// SPDX-License-Identifier: GPL-2.0-only
// Handles the records of `exec` and `exit`: joins each with earlier ones (command line, cgroup
// path) and decides if it is written.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "core/process/argument_filter.h"
#include "core/process/births.h"
#include "core/process/cgroup_paths.h"
#include "core/process/command_lines.h"
#include "core/process/environments.h"
#include "core/process/fail_on.h"
#include "core/process/genealogy.h"
#include "core/process/process_list.h"
#include "core/process/sweep.h"
#include "core/record/decode.h"
#include "core/trace/process_handler.h"

namespace bpftrap {

// Facts about another machine that its records do not tell.
struct RecordedMachine {
  bool has_cgroups = false;  // cgroup paths are known
};

struct ProcessStreamOptions {
  bool write_forks = false;
  bool write_execs = false;         // successful execs
  bool write_failed_execs = false;  // failed execs
  bool write_exits = true;
  bool amend_exits = false;  // pass on the last accounts, for a sink that adds up
  // Write only exits of processes whose exec was written, if they are younger than the tracer.
  bool exits_of_execs_only = false;
  // Read the command lines of processes older than the tracer.
  bool read_older = false;
  bool keep_births = false;  // keep track of forked processes; the kernel must report all forks
  bool forest = false;       // indent command lines by descent; the kernel must report all forks
  Genealogy::Levels levels = Genealogy::Levels::processes;  // of the forest
  // Fill in the ancestors of each process; the kernel must report all forks and execs.
  bool ancestors = false;
  FailOn::Matches fail_on = {};  // the programs of --fail-on; as `ancestors`
  ArgumentFilter arguments = {};
  Redaction redaction = {};
  std::size_t command_line_bytes = CommandLines::bytes_most;  // cgroup paths: an eighth of it
  // The machine whose records these are. None: this one.
  std::optional<RecordedMachine> recorded = {};
  // Returns true if failed execs and long command lines must give way to other records.
  std::function<bool()> output_crowded = {};
};

class ProcessStream final : public ProcessHandler {
 public:
  explicit ProcessStream(ProcessStreamOptions options);

  Result handle(std::span<const std::byte> bytes, Sink& sink) override;
  // The same for a record that is decoded already.
  Result take(Decoded& decoded, Sink& sink);
  // Forgets the environment of an exec that is not taken.
  void drop_environment(const ExecRecord& record) { environments_.take(record); }
  std::uint64_t lost_records(const bpftrap_lost& lost) const override;

  void live(BootTime since) override { live_since_ = since; }
  void account(const bpftrap_lost& lost) override;

  bool wants_sweep() const override;
  void mark_dead() override;
  void forget_dead() override;

  bool reads_older() const override { return options_.read_older; }
  void add_older(OlderProcess&& process) override { lines_.add_older(std::move(process)); }
  std::size_t born() const override { return births_.size(); }
  const CgroupPaths& cgroups() const { return cgroups_; }
  // True if add_existing() must be called once, after the programs are attached.
  bool keeps_genealogy() const { return genealogy_.has_value(); }
  void add_existing(const ProcessList& list) { genealogy_->add_older(list); }

  // Records that were written.
  std::uint64_t written() const { return written_; }
  // The exit status of bpftrap after PROGRAM: see fail_on.h.
  int status(int program, bool to_the_end) const;

 private:
  void forget(const GoneRecord& gone);
  Result write(ForkRecord& record, Sink& sink);
  Result write(ExecRecord& record, Sink& sink);
  Result write(ExitRecord& record, Sink& sink);
  Result write_end(ExitRecord& record, Sink& sink);
  // Fills in the ancestors, and the level of --forest.
  void place(Process& process, unsigned& depth);
  void check_fail_on(ExecRecord& record);
  // True if an exec may have happened that this object was not told of.
  bool may_have_missed_execs() const { return execs_missed_ || malformed_ > 0; }
  // True if the record must give way, because the reader of the output is slow.
  bool gives_way(const ExecRecord& record) const;
  // Applies --redact: `strings` becomes a view into `redacted`.
  void redact(std::optional<Arguments>& strings, std::string& redacted) const;
  // True if the process existed before tracing was live.
  bool is_older(const ProcessId& id) const;
  void warn_of_unmarked(std::uint64_t unmarked);
  void warn_of_refused_lines();
  void warn_of_refused_paths();
  void warn_of_refused_ancestors();

  ProcessStreamOptions options_;
  BootTime live_since_;
  CgroupPaths cgroups_;
  CommandLines lines_;
  std::string redacted_args_;  // of the record that is handled
  std::string redacted_env_;
  Births births_;
  std::optional<Genealogy> genealogy_;
  std::optional<FailOn> fail_on_;
  Environments environments_;
  std::uint64_t unmarked_ = 0;
  bool refused_told_ = false;
  bool refused_paths_told_ = false;
  bool refused_ancestors_told_ = false;
  std::uint64_t lost_ends_ = 0;
  std::uint64_t gave_way_ = 0;  // records
  std::uint64_t written_ = 0;
  std::uint64_t malformed_ = 0;
  bool execs_missed_ = false;
  SweepOfLosses sweep_of_losses_;
};

}  // namespace bpftrap
