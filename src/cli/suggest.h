// SPDX-License-Identifier: GPL-2.0-only
// Suggestions for misspelt words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// `; did you mean 'exec'?` with the closest of `known`. Empty if none is close: at most two typing
// errors, and fewer than half of the letters.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace bpftrap
