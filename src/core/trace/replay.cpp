// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/replay.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/record/unwritten_end.h"

namespace bpftrap {

namespace {

constexpr std::size_t users_most = 65536;

std::optional<BootTime> time_of(const RecordView& record) {
  if (const auto* exec = record.get_if<ExecRecord>()) {
    return exec->time;
  }
  if (const auto* exit = record.get_if<ExitRecord>()) {
    return exit->time;
  }
  if (const auto* fork = record.get_if<ForkRecord>()) {
    return fork->time;
  }
  return std::nullopt;
}

BootTime time_of(const Decoded& decoded, BootTime otherwise) {
  if (const auto* exec = std::get_if<ExecRecord>(&decoded)) {
    return exec->time;
  }
  if (const auto* exit = std::get_if<ExitRecord>(&decoded)) {
    return exit->time;
  }
  if (const auto* fork = std::get_if<ForkRecord>(&decoded)) {
    return fork->time;
  }
  return otherwise;
}

// The process that ends with this record.
std::optional<ProcessId> ended_by(const Decoded& decoded) {
  if (const auto* exit = std::get_if<ExitRecord>(&decoded)) {
    return exit->process.id;
  }
  const auto* gone = std::get_if<GoneRecord>(&decoded);
  return gone != nullptr ? std::optional(gone->id) : std::nullopt;
}

}  // namespace

FieldTable fields_of(const UnwrittenEnd*) {
  static constexpr std::array<Field, 1> table{{{.key = "event", .constant = "ended"}}};
  return table;
}

// Lets records of the window pass, and counts them.
class Replay::Gate final : public Sink {
 public:
  explicit Gate(Replay& replay) : replay_(replay) {}

  void write(const RecordView& record) override {
    if (replay_.muted_) {
      return;
    }
    replay_.write_start();
    if (std::optional<BootTime> time = time_of(record)) {
      if (!replay_.is_in_window(*time) || passed_++ < replay_.options_.skip) {
        return;
      }
      ++written_;
    }
    replay_.sink_.write(record);
  }

  std::uint64_t passed() const { return passed_; }
  std::uint64_t written() const { return written_; }

 private:
  Replay& replay_;
  std::uint64_t passed_ = 0;
  std::uint64_t written_ = 0;
};

// State of one run of the recorder.
struct Replay::Run {
  Run(const ReplayOptions& options, const HostRecord& host, const Users& users)
      : stream(with_machine(options.stream, host)),
        filter(options.scope, options.selection, users, [this](const Process& process) {
          Process completed = process;
          stream.cgroups().complete(completed);
          return completed.cgroup;
        }) {}

  static ProcessStreamOptions with_machine(ProcessStreamOptions options, const HostRecord& host) {
    options.recorded = RecordedMachine{host.has_cgroups};
    return options;
  }

  ProcessStream stream;
  ScopeFilter filter;
};

Replay::Replay(ReplayOptions options, WallClock& clock, Users& users, Sink& sink)
    : options_(std::move(options)),
      clock_(clock),
      users_(users),
      sink_(sink),
      gate_(std::make_unique<Gate>(*this)) {}

Replay::~Replay() = default;

bool Replay::is_done() const {
  return options_.count && gate_->written() >= *options_.count;
}

std::uint64_t Replay::passed() const {
  return gate_->passed();
}

bool Replay::is_in_window(BootTime time) const {
  if (!options_.since_ns && !options_.until_ns) {
    return true;
  }
  std::int64_t wall = clock_.to_wall(time).ns;
  return (!options_.since_ns || wall >= *options_.since_ns) &&
         (!options_.until_ns || wall <= *options_.until_ns);
}

void Replay::begin_behind_dropped(std::optional<std::uint64_t> events, std::uint64_t dropped) {
  behind_dropped_ = true;
  dropped_before_ = dropped;
  events_ = events;
}

void Replay::begin_batch(const RecordingBatch& batch) {
  if (first_batch_ || batch.run != run_number_) {
    new_run_ = true;
    // If the first batch is damaged, the state of the earlier run does not hold for the next ones.
    run_.reset();
    older_.clear();
    stopped_.reset();
    last_wall_ = clock_.to_wall(last_time_);
  } else if (batch.sequence > next_sequence_) {
    std::uint64_t count = batch.sequence - next_sequence_;
    bool begins_segment = (batch.flags & batch_begins_segment) != 0;
    (begins_segment ? gap_ : missing_) += count;
  }
  first_batch_ = false;
  run_number_ = batch.run;
  next_sequence_ = batch.sequence + 1;
}

void Replay::take(std::span<const std::byte> record) {
  if (is_done()) {
    return;
  }
  Recorded recorded = decode_recorded(record, host_.machine);
  if (auto* decoded = std::get_if<Decoded>(&recorded)) {
    take(*decoded);
  } else if (auto* host = std::get_if<HostRecord>(&recorded)) {
    host_ = std::move(*host);
  } else if (auto* run = std::get_if<RunRecord>(&recorded)) {
    take(*run);
  } else if (const auto* stop = std::get_if<StopRecord>(&recorded)) {
    stopped_ = *stop;
    last_time_ = std::max(last_time_, stop->time);
  } else if (const auto* clock = std::get_if<ClockRecord>(&recorded)) {
    take(*clock);
  } else if (const auto* loss = std::get_if<LossRecord>(&recorded)) {
    take(*loss);
  } else if (const auto* tally = std::get_if<TallyRecord>(&recorded)) {
    take(*tally);
  } else if (const auto* user = std::get_if<UserRecord>(&recorded)) {
    take(*user);
  } else if (const auto* older = std::get_if<OlderRecord>(&recorded)) {
    take(*older);
  } else if (auto* exec = std::get_if<LastExecRecord>(&recorded)) {
    restore(exec->exec);
  } else if (auto* birth = std::get_if<BirthRecord>(&recorded)) {
    restore(birth->fork);
  } else {
    ++malformed_;
  }
}

void Replay::take(const TallyRecord& tally) {
  bool is_known = events_ && tally.events >= *events_;
  std::uint64_t dropped = is_known ? tally.events - *events_ : 0;
  if (dropped > 0 || (behind_dropped_ && !is_known)) {
    dropped_ = LostRecord{tally.time, dropped, true};
  }
  if (std::exchange(behind_dropped_, false) || dropped_) {
    state_is_stale_ = true;
    gap_ = 0;  // reported as records, or read before
  }
  events_ = tally.events;
}

void Replay::write_dropped() {
  std::optional<LostRecord> dropped = std::exchange(dropped_, {});
  if (dropped && is_in_window(dropped->time) && !muted_) {
    lost_ += dropped->count;
    sink_.write(*dropped);
  }
}

void Replay::write_start() {
  if (held_start_) {
    sink_.write(*std::exchange(held_start_, {}));
  }
}

void Replay::begin_run(const RunRecord& run) {
  bool is_same_boot = boot_id_ == host_.boot_id;
  if (!boot_id_.empty() && is_in_window(run.time) && !muted_) {
    WallTime live = clock_.to_wall(run.time);
    auto length =
        is_same_boot ? run.time - last_time_ : std::chrono::nanoseconds(live.ns - last_wall_.ns);
    pauses_.push_back({last_wall_, live, length});
  }
  last_time_ = is_same_boot ? last_time_ : BootTime();
  boot_id_ = host_.boot_id;
  StartRecord start{run.time, host_.name, host_.boot_id, host_.kernel, std::string(run.command)};
  if (options_.clip && options_.since_ns) {
    BootTime since(std::chrono::nanoseconds(*options_.since_ns - clock_.offset_ns()));
    start.time = std::max(start.time, since);
  }
  last_time_ = std::max(last_time_, start.time);
  held_start_ = std::move(start);
  if (!muted_) {
    write_start();
  }
}

void Replay::take(RunRecord& run) {
  if (std::exchange(behind_dropped_, false)) {
    dropped_ = LostRecord{run.time, dropped_before_, true};  // a file has no tally
    events_.reset();
  }
  restoring_ = std::exchange(state_is_stale_, false) || new_run_ || gap_ > 0 || dropped_;
  missing_ += std::exchange(gap_, 0);
  if (restoring_) {
    run_ = std::make_unique<Run>(options_, host_, users_);
    older_.clear();
    run_->stream.live(run.time);
    run_->filter.live(run.time);
  }
  if (std::exchange(new_run_, false)) {
    begin_run(run);
  }
  write_dropped();
}

void Replay::take(const ClockRecord& clock) {
  if (new_run_) {
    clock_.restart_with(clock.offset_ns);
  } else {
    clock_.continue_with(clock.since, clock.offset_ns);
  }
}

void Replay::take(const LossRecord& loss) {
  if (run_ == nullptr || muted_ || !is_in_window(loss.time)) {
    return;
  }
  write_start();
  std::uint64_t count = run_->stream.lost_records(loss.lost) + loss.undecoded;
  if (count > 0) {
    lost_ += count;
    sink_.write(LostRecord{loss.time, count});
  }
}

void Replay::take(const UserRecord& user) {
  if (users_.size() < users_most) {
    users_.define(user.uid, user.name);
  }
}

void Replay::take(const OlderRecord& older) {
  if (run_ == nullptr) {
    return;
  }
  run_->filter.add_older(older.pid, older.start_ticks, older.parent, older.local_pid);
  if (run_->stream.keeps_genealogy() && older_.size() < ScopeFilter::marks_most) {
    older_.push_back({.pid = older.pid,
                      .parent = older.parent,
                      .local_pid = older.local_pid,
                      .start_ticks = older.start_ticks,
                      .comm = std::string(older.comm)});
  }
  if (older.args && run_->stream.reads_older()) {
    auto text = [](std::string_view from) {
      return from.empty() ? std::nullopt : std::optional<std::string>(from);
    };
    OlderProcess process{older.local_pid, older.start_ticks, {}};
    process.line.args = std::string(older.args->bytes);
    process.line.truncated = older.args->truncated;
    process.line.exe = text(older.exe);
    process.line.cwd = text(older.cwd);
    run_->stream.add_older(std::move(process));
  }
}

void Replay::flush_older() {
  if (!older_.empty()) {
    run_->stream.add_existing(ProcessList(std::exchange(older_, {})));
  }
}

// As the kernel, which sends an exec that it rejects if the names of all programs are needed.
bool Replay::wants(ExecRecord& exec) {
  exec.wanted = run_->filter.wants(exec);
  return exec.wanted || (options_.scope.report_execs != 0 && exec.error == 0);
}

void Replay::restore(Decoded decoded) {
  if (run_ == nullptr || !restoring_) {
    return;
  }
  flush_older();
  NullSink nowhere;
  if (auto* exec = std::get_if<ExecRecord>(&decoded)) {
    if (!wants(*exec)) {
      return;
    }
  } else if (auto* fork = std::get_if<ForkRecord>(&decoded)) {
    if (!run_->filter.wants(*fork)) {
      return;
    }
  }
  run_->stream.take(decoded, nowhere);
}

void Replay::take(Decoded& decoded) {
  if (run_ == nullptr) {
    return;  // a damaged beginning
  }
  bool is_event = std::holds_alternative<ExecRecord>(decoded) ||
                  std::holds_alternative<ExitRecord>(decoded) ||
                  std::holds_alternative<ForkRecord>(decoded);
  if (events_ && is_event) {
    ++*events_;
  }
  BootTime time = time_of(decoded, last_time_);
  last_time_ = std::max(last_time_, time);
  flush_older();
  bool wanted = true;
  if (auto* exec = std::get_if<ExecRecord>(&decoded)) {
    wanted = wants(*exec);
    if (!wanted && exec->env_requested) {
      run_->stream.drop_environment(*exec);
    }
  } else if (auto* fork = std::get_if<ForkRecord>(&decoded)) {
    wanted = run_->filter.wants(*fork);
  } else if (const auto* exit = std::get_if<ExitRecord>(&decoded)) {
    if (!run_->filter.wants(*exit)) {
      // As the kernel reports an end that is not wanted.
      decoded = GoneRecord{exit->process.id, exit->process.local_pid};
    }
  } else if (const auto* gone = std::get_if<GoneRecord>(&decoded)) {
    run_->filter.forget(gone->id);
  }
  std::optional<ProcessId> ended = ended_by(decoded);
  bool written = wanted && run_->stream.take(decoded, *gate_) == RecordHandler::Result::written;
  if (ended && !written) {
    write_unwritten(*ended, time);
  }
}

void Replay::write_unwritten(const ProcessId& id, BootTime time) {
  if (options_.write_unwritten && !muted_ && is_in_window(time)) {
    sink_.write(UnwrittenEnd{id, time});
  }
}

void Replay::finish() {
  BootTime end = stopped_ ? stopped_->time : last_time_;
  if (options_.clip && options_.until_ns) {
    BootTime until(std::chrono::nanoseconds(*options_.until_ns - clock_.offset_ns()));
    end = std::min(end, until);
  }
  write_start();
  sink_.write(StopRecord{end, gate_->written(), lost_});
  sink_.finish();
}

}  // namespace bpftrap
