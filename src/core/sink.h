// SPDX-License-Identifier: GPL-2.0-only
// The end of the way: a sink turns records into the bytes of an output. Nothing else writes
// records.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/field.h"

namespace bpftrap {

// Every call appends to the string given at construction; none throws but for memory.
class Sink {
 public:
  virtual ~Sink() = default;

  virtual void start(const StartRecord& record) = 0;
  virtual void exec(const ExecRecord& record) = 0;
  virtual void exit(const ExitRecord& record) = 0;
  virtual void hello(const HelloRecord& record) = 0;
  virtual void lost(const LostRecord& record) = 0;
  virtual void stop(const StopRecord& record) = 0;
};

// Newline-delimited JSON: every key of a record kind in each of its lines.
std::unique_ptr<Sink> make_json_sink(std::string& out, const WallClock& clock);

struct TableStyle {
  std::vector<std::string_view> columns;  // headers, of fields; the last one is not padded
  bool header = true;
  bool color = false;
};

// A row a record. What is lost goes to standard error, for it is no row.
std::unique_ptr<Sink> make_table_sink(std::string& out, const WallClock& clock, TableStyle style);

}  // namespace bpftrap
