// SPDX-License-Identifier: GPL-2.0-only
// Writes each record in full: a line per field that has a value.
#pragma once

#include "core/output/sink.h"

namespace bpftrap {

class DetailSink final : public Sink {
 public:
  explicit DetailSink(const SinkSetup& setup);

  // Records of setup.kinds are written. A `lost` record is reported on standard error.
  void write(const RecordView& record) override;

 private:
  std::string& out_;
  std::vector<FieldTable> kinds_;
  Users own_users_;
  TimestampFormatter timestamps_;
  FieldContext context_;
  bool first_ = true;
};

}  // namespace bpftrap
