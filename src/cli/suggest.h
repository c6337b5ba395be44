// SPDX-License-Identifier: GPL-2.0-only
// Suggestions for misspelled words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// Returns `; did you mean 'exec'?` with the closest of `known`. Returns an empty string if the
// closest differs by three or more letters, or by more than half of its letters.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace bpftrap
