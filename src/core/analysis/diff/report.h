// SPDX-License-Identifier: GPL-2.0-only
// The table of `diff`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/analysis/diff/compare.h"

namespace bpftrap {

struct DiffLook {
  bool color = false;
  std::size_t columns = 0;  // of a terminal, for which commands are shortened; 0: rows are whole
};

// Empty without differences.
std::string diff_report(const std::vector<DiffRecord>& records, const DiffLook& look);

}  // namespace bpftrap
