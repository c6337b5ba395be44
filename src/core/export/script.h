// SPDX-License-Identifier: GPL-2.0-only
// Implements `--script`: a POSIX shell script that runs a recorded command again.
#pragma once

#include <string>
#include <string_view>

#include "core/output/sink.h"
#include "core/record/record.h"

namespace bpftrap {

// Writes the script for the last program that the process executed.
class ScriptSink final : public Sink {
 public:
  ScriptSink(const SinkSetup& setup, const ProcessId& process)
      : out_(setup.out), clock_(setup.clock), process_(process) {}

  void write(const RecordView& record) override;
  void finish() override { out_ += script_; }

  // After the last record: the process executed a program.
  bool found() const { return !script_.empty(); }

 private:
  std::string& out_;
  const WallClock& clock_;
  ProcessId process_;
  std::string host_;
  std::string script_;
};

// The script for one exec of `host`.
std::string script_of(const ExecRecord& exec, std::string_view host, const WallClock& clock);

}  // namespace bpftrap
