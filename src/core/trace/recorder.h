// SPDX-License-Identifier: GPL-2.0-only
// Writes the records of a trace into a recording as they are. Adds what a reader needs that has
// nothing but the recording: docs/recording.md.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/os/users.h"
#include "core/process/argument_filter.h"
#include "core/process/births.h"
#include "core/process/environments.h"
#include "core/recording/directory.h"
#include "core/recording/live_processes.h"
#include "core/recording/recorded.h"
#include "core/recording/writer.h"
#include "core/trace/process_handler.h"

namespace bpftrap {

// A process that exists when the recording begins.
struct KnownOlder {
  Pid pid = 0;  // in the initial pid namespace
  Pid parent = 0;
  Pid local_pid = 0;
  std::uint64_t start_ticks = 0;
  std::string comm = {};
};

struct RecorderOptions {
  HostRecord host = {};
  bool filtered = false;                 // the trace has filters
  bool has_program = false;              // the trace ends with PROGRAM
  std::uint64_t start_offset_ticks = 0;  // OlderProcess::start_ticks is larger by this
  std::vector<KnownOlder> older = {};
  Redaction redaction = {};
  Users users = Users();                            // their names are recorded
  bool keep_births = false;                         // keep track of forked processes
  std::size_t state_bytes = std::size_t{32} << 20;  // maximum for processes and cgroups
  RecordingDirectory* directory = nullptr;          // that takes the batches, if it is one
};

class Recorder final : public ProcessHandler {
 public:
  explicit Recorder(RecorderOptions options);

  // Writes to this recording from now on. Returns the sink of the trace, which refers to this
  // object.
  std::unique_ptr<Sink> begin(const RecordingWriter::Setup& setup);

  Result handle(std::span<const std::byte> bytes, Sink& sink) override;
  std::uint64_t lost_records(const bpftrap_lost& lost) const override;

  void live(BootTime since) override { live_since_ = since; }
  void account(const bpftrap_lost& lost) override;

  bool wants_sweep() const override;
  void mark_dead() override;
  void forget_dead() override;

  bool reads_older() const override { return true; }
  void add_older(OlderProcess&& process) override;
  std::size_t born() const override { return births_.size(); }

  std::uint32_t cpus() const { return options_.host.cpus; }

  // After the end.
  std::uint64_t records() const { return records_; }
  std::uint64_t lost() const { return lost_; }

 private:
  class End;

  struct Cgroup {
    std::string record;
    std::uint64_t segment = 0;  // the last one that has the record
  };

  void start(const StartRecord& start);
  void stop(const StopRecord& stop);
  void finish() { writer_->close_batch(); }

  void begin_segment(bool in_new_file = false);
  // Writes what has changed since the last record: the clock, a full segment.
  void prepare();
  void write(std::span<const std::byte> record) { writer_->add(record); }
  // Writes the cgroup and the user of a process, if this segment lacks them.
  void announce(const bpftrap_process& process);
  void announce_state(std::string_view record);
  Result take_exec(std::span<const std::byte> record);
  Result take_exit(std::span<const std::byte> record);
  Result take_fork(std::span<const std::byte> record);
  Result take_environment(std::span<const std::byte> record);
  Result take_cgroup(std::span<const std::byte> record);
  Result take_cgroup_gone(std::span<const std::byte> record);
  Result take_final(std::span<const std::byte> record);
  Result take_gone(std::span<const std::byte> record);

  RecorderOptions options_;
  const WallClock* clock_ = nullptr;
  std::optional<RecordingWriter> writer_;
  std::string command_;
  BootTime live_since_;
  BootTime clock_since_;
  LiveProcesses live_;
  Births births_;
  Environments environments_;
  std::uint64_t segment_ = 0;
  std::unordered_map<std::uint64_t, Cgroup> cgroups_;
  std::size_t cgroup_bytes_ = 0;
  std::uint64_t last_cgroup_ = 0;  // announced in this segment, as is last_user_
  std::uint64_t last_user_ = UINT64_MAX;
  std::unordered_set<std::uint32_t> announced_users_;
  std::unordered_map<Pid, KnownOlder> older_;  // by local pid
  // With filters: the ended processes whose last account is still to come. That of others comes,
  // too.
  std::unordered_set<ProcessId, ProcessIdHash> ended_;
  bpftrap_lost told_{};
  std::uint64_t events_ = 0;
  std::uint64_t undecoded_ = 0;
  std::uint64_t undecoded_told_ = 0;
  SweepOfLosses sweep_of_losses_;
  std::uint64_t records_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace bpftrap
