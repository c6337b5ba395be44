// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/summary_sink.h"

namespace bpftrap {

void SummarySink::write(const RecordView& record) {
  if (const auto* exit = record.get_if<ExitRecord>()) {
    summary_.add(*exit);
  } else if (const auto* last = record.get_if<FinalRecord>()) {
    summary_.amend(*last);
    return;  // no other sink wants it
  } else if (const auto* start = record.get_if<StartRecord>()) {
    summary_.start(start->time);
  } else if (const auto* stop = record.get_if<StopRecord>()) {
    write_summary(stop->time);
  }
  next_->write(record);
}

void SummarySink::write_summary(BootTime now) {
  std::optional<BootTime> until;
  if (!options_.until_last_end) {
    until = now;
  }
  std::vector<SummaryRecord> rows = summary_.rows(now, options_.cpus, until);
  for (const SummaryRecord& row : rows) {
    next_->write(row);
  }
  report_(rows);
}

}  // namespace bpftrap
