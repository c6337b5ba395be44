// SPDX-License-Identifier: GPL-2.0-only
// Output of `bpftrap doctor`: a table of fields for JSON, and a text report.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/doctor/diagnosis.h"
#include "core/output/sink.h"

namespace bpftrap {

FieldTable fields_of(const Check*);

// Appends one line per check, its fix below, and the verdict. Safe for a terminal.
void append_report(std::string& out, std::span<const Check> checks, bool color);

// Sink that writes the text report.
class CheckReport final : public Sink {
 public:
  explicit CheckReport(const SinkSetup& setup) : out_(setup.out), color_(setup.color) {}

  void write(const RecordView& record) override {
    if (const auto* check = record.get_if<Check>()) {
      checks_.push_back(*check);
    }
  }
  void finish() override { append_report(out_, checks_, color_); }

 private:
  std::string& out_;
  bool color_;
  std::vector<Check> checks_;
};

}  // namespace bpftrap
