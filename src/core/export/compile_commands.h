// SPDX-License-Identifier: GPL-2.0-only
// Implements `--compile-commands`: the commands that compiled each source file, in the form that
// clangd and other tools read (https://clang.llvm.org/docs/JSONCompilationDatabase.html).
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/export/exporter.h"

namespace bpftrap {

class CompileCommands final : public Exporter {
 public:
  explicit CompileCommands(const SinkSetup& setup) : out_(setup.out) {}

  void write(const RecordView& record) override;
  void finish() override;
  std::string summary() const override;

 private:
  // A process that runs a compiler, or descends from one.
  struct Compiling {
    bool is_step = false;                   // of a compiler that is its ancestor
    std::vector<std::size_t> entries = {};  // of its last compiler
  };

  void take(const ExecRecord& exec);
  void take(const ForkRecord& fork);
  bool is_step(const Process& process) const;
  // Takes an earlier entry for the same file and output back.
  std::size_t add(const std::string& key, std::string&& json);

  std::string& out_;
  std::unordered_map<ProcessId, Compiling, ProcessIdHash> compiling_;
  std::vector<std::string> entries_;  // as JSON; empty: taken back
  std::unordered_map<std::string, std::size_t> places_;
  std::size_t written_ = 0;
  std::size_t incomplete_ = 0;  // commands of which a part is unknown, or too long
};

}  // namespace bpftrap
