// SPDX-License-Identifier: GPL-2.0-only
// Implements `--summary` as a sink in front of another one.
#pragma once

#include <functional>
#include <memory>

#include "core/analysis/summary.h"
#include "core/output/sink.h"

namespace bpftrap {

// Passes every record on and adds up the ends of processes. Before the `stop` record, it writes the
// `summary` records to the next sink.
class SummarySink final : public Sink {
 public:
  // Calls `report` with the finished summary.
  SummarySink(std::unique_ptr<Sink> next, std::function<void(const Summary&)> report)
      : next_(std::move(next)), report_(std::move(report)) {}

  void write(const RecordView& record) override;
  void finish() override { next_->finish(); }

 private:
  std::unique_ptr<Sink> next_;
  std::function<void(const Summary&)> report_;
  Summary summary_;
};

}  // namespace bpftrap
