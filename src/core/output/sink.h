// SPDX-License-Identifier: GPL-2.0-only
// The end of the way: a sink writes records of any kind in one output format. Only sinks write
// records.
//
// A sink gets typed records by record.get_if<ExecRecord>(), or any record by its table of fields. A
// new format is one class here and one line in src/cli/output_formats.cpp.
#pragma once

#include "core/record/field.h"

namespace bpftrap {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Appends the record to the output. Ignores a kind that the format has no place for. Throws only
  // if memory is exhausted.
  virtual void write(const RecordView& record) = 0;

  // No record follows: appends what depends on all of them.
  virtual void finish() {}
};

}  // namespace bpftrap
