// SPDX-License-Identifier: GPL-2.0-only
// A sink writes records of any kind in one output format. Only sinks write records.
//
// A sink reads a known kind with record.get_if<ExecRecord>(), or any record by its table of fields.
// A new format is one class here, constructed from a SinkSetup, and one line in
// src/cli/output_formats.cpp. Every command, doctor included, then offers it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/field.h"

namespace bpftrap {

// Input of a sink's constructor. `out` and `clock` must outlive the sink.
struct SinkSetup {
  std::string& out;  // records are appended to it
  const WallClock& clock;
  // Record kinds of the command, without start, lost, stop and summary.
  std::vector<FieldTable> kinds = {};
  std::vector<std::string_view> columns = {};  // of the table, by header or JSON key
  bool header = true;                          // a header is wanted
  bool color = false;
  // Returns the columns of the terminal, at which rows end. 0, or no function: rows are whole.
  std::function<std::size_t()> row_width = {};
  bool roomy = false;      // wide columns, because rows need not fit 80 columns
  bool utc = false;        // times of the table in UTC instead of the local time zone
  bool dates = false;      // times of the table with their date
  Users* users = nullptr;  // names of users; null: those of this machine
  // JSON: every record has `host` and `boot_id`, those of the last `start` record.
  bool with_host = false;
};

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Appends the record to the output. Ignores a kind that the format cannot represent, except
  // LostRecord: the user must learn of losses, so write it or call say_lost(). A trace begins with
  // StartRecord and ends with StopRecord; doctor writes neither. Throws only if memory is
  // exhausted.
  virtual void write(const RecordView& record) = 0;

  // Called after the last record. Appends output that depends on all records.
  virtual void finish() {}
};

// Writes nothing, for records that are only counted or remembered.
class NullSink final : public Sink {
 public:
  void write(const RecordView&) override {}
};

using MakeSink = std::unique_ptr<Sink> (*)(const SinkSetup& setup);

// The MakeSink of a class.
template <class AnySink>
std::unique_ptr<Sink> make(const SinkSetup& setup) {
  return std::make_unique<AnySink>(setup);
}

// Reports lost records on standard error.
void say_lost(const LostRecord& lost);

}  // namespace bpftrap
