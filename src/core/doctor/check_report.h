// SPDX-License-Identifier: GPL-2.0-only
// Checks as `bpftrap doctor` writes them: a table of fields for JSON, a report for people.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/doctor/diagnosis.h"
#include "core/output/sink.h"

namespace bpftrap {

FieldTable fields_of(const Check*);

// Appends a line per check, its fix below, and the verdict at the end. Safe for a terminal.
void append_report(std::string& out, std::span<const Check> checks, bool color);

// Writes that report.
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
