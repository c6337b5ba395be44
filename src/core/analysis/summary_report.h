// SPDX-License-Identifier: GPL-2.0-only
// The readable form of a summary.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/analysis/summary.h"

namespace bpftrap {

struct SummaryLook {
  bool color = false;
  std::size_t columns = 80;   // of the terminal
  std::size_t programs = 12;  // rows; the others become one
  std::size_t commands = 10;
};

// Writes the rows of Summary::rows(): a line about the run, programs by CPU time, and the slowest
// commands. Each line ends with a line feed. Safe for a terminal.
std::string summary_report(const std::vector<SummaryRecord>& rows, const SummaryLook& look);

}  // namespace bpftrap
