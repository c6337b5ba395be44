// SPDX-License-Identifier: GPL-2.0-only
#include "core/analysis/summary_sink.h"

namespace bpftrap {

void SummarySink::write(const RecordView& record) {
  if (const auto* exit = record.get_if<ExitRecord>()) {
    summary_.add(*exit);
  } else if (const auto* last = record.get_if<FinalRecord>()) {
    summary_.amend(*last);
    return;  // no other sink wants it
  } else if (const auto* stop = record.get_if<StopRecord>()) {
    for (const SummaryRecord& row : summary_.rows(stop->time)) {
      next_->write(row);
    }
    report_(summary_);
  }
  next_->write(record);
}

}  // namespace bpftrap
