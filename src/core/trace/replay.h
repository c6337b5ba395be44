// SPDX-License-Identifier: GPL-2.0-only
// Prints a recording: records → filters → stream → sink, as a trace does. Asks nothing of the
// machine that it runs on.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bpf/scope.h"
#include "core/os/clock.h"
#include "core/os/users.h"
#include "core/process/process_list.h"
#include "core/process/scope_filter.h"
#include "core/recording/format.h"
#include "core/recording/recorded.h"
#include "core/trace/process_stream.h"

namespace bpftrap {

struct ReplayOptions {
  ProcessStreamOptions stream = {};
  bpftrap_scope scope{};
  ScopeSelection selection = {};
  // Write only records of this time of the wall clock, both ends included.
  std::optional<std::int64_t> since_ns = {};
  std::optional<std::int64_t> until_ns = {};
  std::uint64_t skip = 0;                   // do not write so many records
  std::optional<std::uint64_t> count = {};  // end after so many
  bool clip = false;                        // the run begins and ends with the window
  bool write_unwritten = false;             // write every UnwrittenEnd
};

class Replay {
 public:
  // All references must outlive this object. `clock` and `users` take what the recording tells.
  Replay(ReplayOptions options, WallClock& clock, Users& users, Sink& sink);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // As long as this is true, records change the state, but are not written.
  void mute(bool muted) { muted_ = muted; }
  // The records that follow come behind a position with so many events, if known, which was
  // dropped. `dropped`: the events between, if the recording does not tell them; 0: unknown. May be
  // called between batches.
  void begin_behind_dropped(std::optional<std::uint64_t> events, std::uint64_t dropped = 0);

  // The records that follow belong to this batch.
  void begin_batch(const RecordingBatch& batch);
  void take(std::span<const std::byte> record);
  // Writes the record `stop`.
  void finish();

  // True if --count records are written.
  bool is_done() const;
  // True if the recorder has ended.
  bool has_stopped() const { return stopped_.has_value(); }
  // Records that passed the filters, in the window.
  std::uint64_t passed() const;
  // Batches that are missing.
  std::uint64_t missing() const { return missing_; }
  std::uint64_t malformed() const { return malformed_; }
  // Events of the directory up to here, if known.
  std::optional<std::uint64_t> events() const { return events_; }

  // A time without a recorder, between two runs.
  struct Pause {
    WallTime from;
    WallTime to;
    std::chrono::nanoseconds length;
  };
  // Those that were found since the last call.
  std::vector<Pause> take_pauses() { return std::exchange(pauses_, {}); }

 private:
  class Gate;
  struct Run;

  void take(RunRecord& run);
  void begin_run(const RunRecord& run);
  void take(const TallyRecord& tally);
  void write_dropped();
  void write_start();
  void take(const ClockRecord& clock);
  void take(const LossRecord& loss);
  void take(const UserRecord& user);
  void take(const OlderRecord& older);
  bool wants(ExecRecord& exec);
  void restore(Decoded decoded);
  // Passes the older processes on, when all are known.
  void flush_older();
  void take(Decoded& decoded);
  void write_unwritten(const ProcessId& id, BootTime time);
  bool is_in_window(BootTime time) const;

  ReplayOptions options_;
  WallClock& clock_;
  Users& users_;
  Sink& sink_;
  std::unique_ptr<Gate> gate_;
  HostRecord host_;
  std::unique_ptr<Run> run_;
  bool first_batch_ = true;
  std::uint64_t run_number_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool new_run_ = true;  // its records `clock` and `start` are still to come
  std::vector<ListedProcess> older_;
  bool restoring_ = false;  // state records are of processes that are not known yet
  bool muted_ = false;
  std::optional<StartRecord> held_start_;  // until records are written
  bool behind_dropped_ = false;
  std::uint64_t dropped_before_ = 0;
  std::optional<std::uint64_t> events_;
  std::optional<LostRecord> dropped_;  // before this segment
  bool state_is_stale_ = false;        // likewise: records before this segment were not taken
  std::uint64_t gap_ = 0;              // batches that are missing before this segment
  std::string boot_id_;                // of the last run
  WallTime last_wall_{0};              // likewise, of its last record
  std::vector<Pause> pauses_;
  std::uint64_t missing_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t lost_ = 0;
  BootTime last_time_;
  std::optional<StopRecord> stopped_;
};

}  // namespace bpftrap
