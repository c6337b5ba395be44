// SPDX-License-Identifier: GPL-2.0-only
// Implements `--summary` as a sink in front of another one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/analysis/summary.h"
#include "core/output/sink.h"

namespace bpftrap {

struct SummaryOptions {
  std::uint64_t cpus = 1;       // of the machine
  bool until_last_end = false;  // the run ends with its last process, not with the trace
};

// Passes every record on and adds up the ends of processes. Before the `stop` record, it writes the
// `summary` records to the next sink.
class SummarySink final : public Sink {
 public:
  // Calls `report` with the finished summary.
  SummarySink(std::unique_ptr<Sink> next, SummaryOptions options,
              std::function<void(const std::vector<SummaryRecord>&)> report)
      : next_(std::move(next)), options_(options), report_(std::move(report)) {}

  void write(const RecordView& record) override;
  void finish() override { next_->finish(); }

 private:
  void write_summary(BootTime now);

  std::unique_ptr<Sink> next_;
  SummaryOptions options_;
  std::function<void(const std::vector<SummaryRecord>&)> report_;
  Summary summary_;
};

}  // namespace bpftrap
