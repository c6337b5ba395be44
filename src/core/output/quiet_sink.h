// SPDX-License-Identifier: GPL-2.0-only
// Implements `--quiet` as a sink in front of another one.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/output/sink.h"

namespace bpftrap {

// Drops records of the command's kinds. Passes on those about the stream, and summaries. The `stop`
// record counts what was written: none.
class QuietSink final : public Sink {
 public:
  QuietSink(std::unique_ptr<Sink> next, std::vector<FieldTable> dropped)
      : next_(std::move(next)), dropped_(std::move(dropped)) {}

  void write(const RecordView& record) override {
    bool drop = std::any_of(dropped_.begin(), dropped_.end(),
                            [&](FieldTable kind) { return kind.data() == record.fields().data(); });
    if (const auto* stop = record.get_if<StopRecord>()) {
      StopRecord none = *stop;
      none.records = 0;
      next_->write(none);
    } else if (!drop) {
      next_->write(record);
    }
  }
  void finish() override { next_->finish(); }

 private:
  std::unique_ptr<Sink> next_;
  std::vector<FieldTable> dropped_;
};

}  // namespace bpftrap
