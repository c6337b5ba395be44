// SPDX-License-Identifier: GPL-2.0-only
// Names of commands in a report: the words that tell a command from its siblings, and its
// directory.
#pragma once

#include <string>
#include <string_view>

#include "core/analysis/command_label.h"
#include "core/analysis/critical_path.h"

namespace bpftrap {

// Cuts text at so many columns on a terminal, with `…` at its end.
std::string cut_to(std::string text, std::size_t columns);

class SlowNames {
 public:
  // `root`: directories are shown relative to its own.
  SlowNames(const RecordedRun& run, Index root);

  // At most so many columns, safe for a terminal.
  std::string of(const Segment& segment, std::size_t columns) const;
  std::string of(Index process, std::size_t columns) const;
  std::string of(const RunExec& exec, std::size_t columns) const;

 private:
  std::string directory(const RunExec& exec) const;
  // The words that a label may show: without temporary files, and with short paths.
  std::string words_of(std::string_view args) const;

  const RecordedRun& run_;
  std::string_view top_;  // directory of the root
  CommandLabels labels_;
};

}  // namespace bpftrap
