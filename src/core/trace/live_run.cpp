// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace/live_run.h"

#include <utility>

#include "bpf/process.event.h"
#include "core/recording/recorded.h"

namespace bpftrap {

// The sink of the trace: records about the stream.
class LiveRun::Stream final : public Sink {
 public:
  explicit Stream(LiveRun& run) : run_(run) {}

  void write(const RecordView& record) override {
    if (const auto* start = record.get_if<StartRecord>()) {
      run_.start(*start);
    } else if (const auto* stop = record.get_if<StopRecord>()) {
      run_.take(encode(*stop));
    }
    // Losses are kept by kind: see account().
  }

 private:
  LiveRun& run_;
};

LiveRun::LiveRun(HostRecord host, bool has_program)
    : host_(std::move(host)), has_program_(has_program) {
  builder_.begin_batch({});
}

std::unique_ptr<Sink> LiveRun::begin(const WallClock& clock) {
  clock_ = &clock;
  return std::make_unique<Stream>(*this);
}

void LiveRun::start(const StartRecord& start) {
  host_.name = start.host;
  host_.boot_id = start.boot_id;
  host_.kernel = start.kernel;
  take(encode(host_, start.time));
  take(encode(ClockRecord{clock_->anchored_since(), clock_->offset_ns()}));
  take(encode(RunRecord{live_since_, has_program_, has_program_, start.command}));
}

RecordHandler::Result LiveRun::handle(std::span<const std::byte> bytes, Sink&) {
  bpftrap_record_header header;
  std::optional<std::span<const std::byte>> record = unframe(bytes, header);
  if (!record) {
    return Result::malformed;
  }
  bpftrap_fork_event fork;
  bool wanted = header.kind != BPFTRAP_RECORD_FORK ||
                (read_wire(*record, fork) && (fork.flags & BPFTRAP_FORK_WANTED) != 0);
  if (wanted) {
    builder_.take(*record);
  }
  return Result::kept;
}

std::uint64_t LiveRun::lost_records(const bpftrap_lost& lost) const {
  return lost.records[BPFTRAP_RECORD_EXIT] + lost.records[BPFTRAP_RECORD_EXEC] +
         lost.records[BPFTRAP_KIND_FAILED] + lost.records[BPFTRAP_RECORD_FORK];
}

void LiveRun::account(const bpftrap_lost& lost) {
  LossRecord loss{BootClock::now(), {}, 0};
  for (std::size_t kind = 0; kind < BPFTRAP_KINDS_MOST; ++kind) {
    if (lost.records[kind] > told_.records[kind]) {
      loss.lost.records[kind] = lost.records[kind] - told_.records[kind];
      told_.records[kind] = lost.records[kind];
    }
  }
  take(encode(loss));
}

}  // namespace bpftrap
