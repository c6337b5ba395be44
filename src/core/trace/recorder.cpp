// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/recorder.h"

#include <cstring>
#include <utility>

#include "bpf/process.event.h"
#include "core/recording/redact.h"

namespace bpftrap {

namespace {

using Bytes = std::span<const std::byte>;

// Processes that have ended, but nobody has waited for. Beyond that, the last account is left out.
constexpr std::size_t ended_most = std::size_t{1} << 15;

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ProcessId id_of(const bpftrap_process& process) {
  return {process.pid, process.start_boot_ns};
}

}  // namespace

// The sink of the trace: records about the stream.
class Recorder::End final : public Sink {
 public:
  explicit End(Recorder& recorder) : recorder_(recorder) {}

  void write(const RecordView& record) override {
    if (const auto* start = record.get_if<StartRecord>()) {
      recorder_.start(*start);
    } else if (const auto* stop = record.get_if<StopRecord>()) {
      recorder_.stop(*stop);
    }
    // Losses are recorded by kind: see account().
  }
  void finish() override { recorder_.finish(); }

 private:
  Recorder& recorder_;
};

Recorder::Recorder(RecorderOptions options)
    : options_(std::move(options)), live_(options_.state_bytes) {}

std::unique_ptr<Sink> Recorder::begin(const RecordingWriter::Setup& setup) {
  clock_ = &setup.clock;
  writer_.emplace(setup);
  return std::make_unique<End>(*this);
}

void Recorder::start(const StartRecord& start) {
  options_.host.name = start.host;
  options_.host.boot_id = start.boot_id;
  options_.host.kernel = start.kernel;
  command_ = start.command;
  for (KnownOlder& older : options_.older) {
    OlderRecord record{start.time,      older.pid,         older.parent,
                       older.local_pid, older.start_ticks, older.comm};
    live_.add_older(older.local_pid, encode(record));
    older_.emplace(older.local_pid, std::move(older));
  }
  options_.older = {};
  begin_segment();
}

void Recorder::stop(const StopRecord& stop) {
  records_ = stop.records;
  lost_ = stop.lost;
  writer_->add(encode(stop));
}

void Recorder::begin_segment(bool in_new_file) {
  writer_->begin_segment(in_new_file);
  ++segment_;
  announced_users_.clear();
  last_cgroup_ = 0;
  last_user_ = UINT64_MAX;
  clock_since_ = clock_->anchored_since();
  writer_->add(encode(options_.host, BootClock::now()));
  writer_->add(encode(ClockRecord{clock_since_, clock_->offset_ns()}));
  if (const RecordingDirectory* directory = options_.directory) {
    std::uint64_t unwritten = events_of(directory->unwritten().events);
    writer_->add(encode(TallyRecord{BootClock::now(), directory->events() + events_ - unwritten,
                                    directory->lost() + events_of(told_) + undecoded_told_}));
  }
  writer_->add(encode(RunRecord{live_since_, options_.filtered, options_.has_program, command_}));
  live_.for_each([this](std::string_view record) { announce_state(record); });
  writer_->end_state();
}

void Recorder::announce_state(std::string_view record) {
  Bytes bytes = std::as_bytes(std::span(record));
  bpftrap_fork_event event;
  // Execs and forks begin alike, with the process.
  bool has_process = bytes.size() >= sizeof(bpftrap_fork_event) &&
                     bytes[offsetof(bpftrap_record_header, kind)] != std::byte{recorded_older};
  if (has_process && read_wire(bytes, event)) {
    announce(event.process);
  }
  writer_->add(bytes);
}

void Recorder::prepare() {
  if (clock_->anchored_since() != clock_since_) {
    clock_since_ = clock_->anchored_since();
    writer_->add(encode(ClockRecord{clock_since_, clock_->offset_ns()}));
  }
  // The next records may refer to what is lost.
  bool is_cut = options_.directory != nullptr && options_.directory->take_discarded();
  if (is_cut || writer_->segment_is_full()) {
    begin_segment(is_cut);
  }
}

void Recorder::announce(const bpftrap_process& process) {
  if (process.cgroup_id != last_cgroup_) {
    last_cgroup_ = process.cgroup_id;
    auto found = cgroups_.find(process.cgroup_id);
    if (found != cgroups_.end() && found->second.segment != segment_) {
      found->second.segment = segment_;
      writer_->add(found->second.record);
    }
  }
  if (process.uid != last_user_) {
    last_user_ = process.uid;
    if (announced_users_.insert(process.uid).second && options_.users.knows(process.uid)) {
      writer_->add(
          encode(UserRecord{process.uid, options_.users.name(process.uid)}, BootClock::now()));
    }
  }
}

RecordHandler::Result Recorder::handle(Bytes bytes, Sink&) {
  bpftrap_record_header header;
  std::optional<Bytes> record = unframe(bytes, header);
  Result result = Result::malformed;
  if (record) {
    prepare();
    switch (header.kind) {
      case BPFTRAP_RECORD_EXEC:
        result = take_exec(*record);
        break;
      case BPFTRAP_RECORD_EXIT:
        result = take_exit(*record);
        break;
      case BPFTRAP_RECORD_FORK:
        result = take_fork(*record);
        break;
      case BPFTRAP_RECORD_ENVIRONMENT:
        result = take_environment(*record);
        break;
      case BPFTRAP_RECORD_CGROUP:
        result = take_cgroup(*record);
        break;
      case BPFTRAP_RECORD_CGROUP_GONE:
        result = take_cgroup_gone(*record);
        break;
      case BPFTRAP_RECORD_GONE:
        result = take_gone(*record);
        break;
      case BPFTRAP_RECORD_FINAL:
        result = take_final(*record);
        break;
      default:
        break;
    }
  }
  undecoded_ += result == Result::malformed ? 1 : 0;
  events_ += result == Result::written ? 1 : 0;
  return result;
}

RecordHandler::Result Recorder::take_exec(Bytes record) {
  bpftrap_exec_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  announce(event.process);
  std::string redacted;
  if (!options_.redaction.empty()) {
    Decoded decoded = decode(record);
    auto* exec = std::get_if<ExecRecord>(&decoded);
    if (exec == nullptr) {
      return Result::malformed;
    }
    std::uint32_t env_size = event.env_len;
    if (exec->env_requested) {
      std::optional<std::string> env = environments_.take(*exec);
      std::string strings;
      options_.redaction.append(strings, env.value_or(""));
      env_size = env ? static_cast<std::uint32_t>(strings.size()) : BPFTRAP_ENV_UNREADABLE;
      if (!strings.empty()) {
        writer_->add(environment_of(record, strings));
      }
    }
    redacted = redact_exec(record, options_.redaction, env_size);
    record = std::as_bytes(std::span(redacted));
  }
  write(record);
  if (event.error == 0) {
    live_.executed(id_of(event.process), event.process.local_pid, record);
  }
  return Result::written;
}

RecordHandler::Result Recorder::take_exit(Bytes record) {
  bpftrap_exit_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  announce(event.process);
  write(record);
  ProcessId id = id_of(event.process);
  live_.ended(id, event.process.local_pid);
  births_.ended(id);
  if (options_.filtered) {
    if (ended_.size() >= ended_most) {
      ended_.erase(ended_.begin());  // its last account was lost, as that of most in here
    }
    ended_.insert(id);
  }
  return Result::written;
}

RecordHandler::Result Recorder::take_final(Bytes record) {
  bpftrap_final_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  if (!options_.filtered || ended_.erase({event.pid, event.start_boot_ns}) > 0) {
    write(record);
  }
  return Result::kept;
}

RecordHandler::Result Recorder::take_fork(Bytes record) {
  bpftrap_fork_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  if (options_.keep_births) {
    ForkRecord fork;
    fork.process.id = id_of(event.process);
    fork.process.local_pid = event.process.local_pid;
    births_.forked(fork.process);
  }
  if ((event.flags & BPFTRAP_FORK_WANTED) == 0) {
    return Result::kept;
  }
  announce(event.process);
  write(record);
  live_.forked(id_of(event.process), event.process.local_pid, record);
  return Result::written;
}

RecordHandler::Result Recorder::take_environment(Bytes record) {
  if (options_.redaction.empty()) {
    write(record);
    return Result::kept;
  }
  // Redacted with its exec, because a variable may be in two records.
  Decoded decoded = decode(record);
  const auto* environment = std::get_if<EnvironmentRecord>(&decoded);
  if (environment == nullptr) {
    return Result::malformed;
  }
  environments_.add(*environment);
  return Result::kept;
}

RecordHandler::Result Recorder::take_cgroup(Bytes record) {
  bpftrap_cgroup_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  // Written before the first record that names it, in each segment.
  std::size_t most = options_.state_bytes / 4;
  if (cgroup_bytes_ + record.size() <= most) {
    Cgroup& cgroup = cgroups_[event.id];
    cgroup_bytes_ += record.size() - cgroup.record.size();
    cgroup = {std::string(as_text(record)), 0};
    last_cgroup_ = last_cgroup_ == event.id ? 0 : last_cgroup_;
  } else {
    write(record);
  }
  return Result::kept;
}

RecordHandler::Result Recorder::take_cgroup_gone(Bytes record) {
  bpftrap_cgroup_gone_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  if (auto found = cgroups_.find(event.id); found != cgroups_.end()) {
    cgroup_bytes_ -= found->second.record.size();
    cgroups_.erase(found);
  }
  write(record);
  return Result::kept;
}

RecordHandler::Result Recorder::take_gone(Bytes record) {
  bpftrap_gone_event event;
  if (!read_wire(record, event)) {
    return Result::malformed;
  }
  write(record);
  live_.ended({event.pid, event.start_boot_ns}, event.local_pid);
  births_.ended({event.pid, event.start_boot_ns});
  return Result::kept;
}

void Recorder::add_older(OlderProcess&& process) {
  auto known = older_.find(process.local_pid);
  std::uint64_t start_ticks = process.start_ticks - options_.start_offset_ticks;
  if (known == older_.end() || known->second.start_ticks != start_ticks) {
    return;  // younger than the list
  }
  const KnownOlder& older = known->second;
  OlderRecord record{BootClock::now(), older.pid,   older.parent,
                     older.local_pid,  start_ticks, older.comm};
  std::string redacted;
  if (process.line.args) {
    options_.redaction.append(redacted, *process.line.args);
    record.args = Arguments{redacted, process.line.truncated};
  }
  record.exe = process.line.exe ? std::string_view(*process.line.exe) : "";
  record.cwd = process.line.cwd ? std::string_view(*process.line.cwd) : "";
  std::string bytes = encode(record);
  prepare();
  writer_->add(bytes);
  live_.add_older(older.local_pid, std::move(bytes));
  older_.erase(known);
}

std::uint64_t Recorder::lost_records(const bpftrap_lost& lost) const {
  std::uint64_t unwritten =
      options_.directory != nullptr ? events_of(options_.directory->unwritten().events) : 0;
  return events_of(lost) + unwritten;
}

void Recorder::account(const bpftrap_lost& lost) {
  static const EventCount none;
  const EventCount& unwritten =
      options_.directory != nullptr ? options_.directory->unwritten() : none;
  std::uint64_t undecoded = undecoded_ + unwritten.undecoded;
  LossRecord loss{BootClock::now(), {}, undecoded - undecoded_told_};
  bool any = loss.undecoded != 0;
  for (std::size_t kind = 0; kind < BPFTRAP_KINDS_MOST; ++kind) {
    std::uint64_t all =
        lost.records[kind] + unwritten.events.records[kind] + unwritten.losses.records[kind];
    if (all > told_.records[kind]) {
      loss.lost.records[kind] = all - told_.records[kind];
      told_.records[kind] = all;
      any = true;
      if (kind == BPFTRAP_RECORD_EXIT || kind == BPFTRAP_RECORD_GONE) {
        sweep_of_losses_.ends_lost();
      }
    }
  }
  undecoded_told_ = undecoded;
  if (any) {
    writer_->add(encode(loss));
  }
  if (RecordingDirectory* directory = options_.directory) {
    directory->drop_old(clock_->now());
    if (directory->wants_new_file(clock_->now())) {
      begin_segment(true);
    }
  }
  // A crash leaves out what follows, which is at most a second.
  writer_->close_batch();
}

bool Recorder::wants_sweep() const {
  return sweep_of_losses_.is_due() || live_.wants_sweep() || births_.wants_sweep();
}

void Recorder::mark_dead() {
  sweep_of_losses_.started();
  live_.mark_dead();
  births_.mark_dead();
}

void Recorder::forget_dead() {
  live_.forget_dead();
  births_.forget_dead();
}

}  // namespace bpftrap
