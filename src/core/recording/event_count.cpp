// SPDX-License-Identifier: GPL-2.0-only
#include "core/recording/event_count.h"

#include <algorithm>
#include <optional>

#include "bpf/process.event.h"
#include "core/record/decode.h"
#include "core/recording/format.h"

namespace bpftrap {

namespace {

// The kind by which a loss of the record would be counted.
std::optional<unsigned> kind_of_event(std::span<const std::byte> record) {
  bpftrap_record_header header;
  std::optional<std::span<const std::byte>> bytes = unframe(record, header);
  if (!bytes) {
    return std::nullopt;
  }
  bpftrap_exec_event exec;
  switch (header.kind) {
    case BPFTRAP_RECORD_EXEC:
      return read_wire(*bytes, exec) && exec.error != 0 ? BPFTRAP_KIND_FAILED : BPFTRAP_RECORD_EXEC;
    case BPFTRAP_RECORD_EXIT:
    case BPFTRAP_RECORD_FORK:
      return header.kind;
    default:
      return std::nullopt;
  }
}

}  // namespace

void EventCount::add(std::span<const std::byte> record) {
  if (std::optional<unsigned> kind = kind_of_event(record)) {
    ++events.records[*kind];
    ++all_events;
    return;
  }
  bpftrap_record_header header;
  RecordedLoss loss;
  RecordedTally recorded;
  if (!read_wire(record, header)) {
    return;
  }
  if (header.kind == recorded_tally && read_wire(record, recorded)) {
    all_events = recorded.events;
    all_lost = recorded.lost;
  } else if (header.kind == recorded_loss && read_wire(record, loss)) {
    for (unsigned kind = 0; kind < BPFTRAP_KINDS_MOST; ++kind) {
      losses.records[kind] += loss.records[kind];
    }
    undecoded += loss.undecoded;
    bpftrap_lost lost{};
    std::copy(std::begin(loss.records), std::end(loss.records), lost.records);
    all_lost += events_of(lost) + loss.undecoded;
  }
}

std::uint64_t events_of(const bpftrap_lost& counters) {
  return counters.records[BPFTRAP_RECORD_EXIT] + counters.records[BPFTRAP_RECORD_EXEC] +
         counters.records[BPFTRAP_KIND_FAILED] + counters.records[BPFTRAP_RECORD_FORK];
}

}  // namespace bpftrap
