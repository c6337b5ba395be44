// SPDX-License-Identifier: GPL-2.0-only
// Environment variables on their way from their own records to the exec record that follows.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "core/record/record.h"

namespace bpftrap {

class Environments {
 public:
  // Maximum number of processes, and of bytes. Their exec records follow at once, so what is left
  // belongs to exec records that were lost.
  static constexpr std::size_t most = 1024;
  static constexpr std::size_t bytes_most = std::size_t{8} << 20;

  void add(const EnvironmentRecord& record);

  // Removes and returns the variables of this exec. None if some of them were lost.
  std::optional<std::string> take(const ExecRecord& record);

  std::size_t size() const { return waiting_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::unordered_map<ProcessId, std::string, ProcessIdHash> waiting_;
  std::size_t bytes_ = 0;  // of all strings
};

}  // namespace bpftrap
