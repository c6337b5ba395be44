// SPDX-License-Identifier: GPL-2.0-only
#include "cli/suggest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bpftrap {

namespace {

// Levenshtein distance: insertions, deletions and replacements.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string* closest = nullptr;
  std::size_t least = 3;
  for (const std::string& candidate : known) {
    std::size_t steps = distance(word, candidate);
    if (steps < least && steps * 2 < candidate.size() + 1) {
      least = steps;
      closest = &candidate;
    }
  }
  return closest != nullptr ? "; did you mean '" + *closest + "'?" : "";
}

}  // namespace bpftrap
