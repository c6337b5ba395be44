// SPDX-License-Identifier: GPL-2.0-only
// Suggestions for misspelt words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// `; did you mean 'exec'?` for the closest of `known`, empty where none is close (two typing errors
// at most, and fewer than half of the letters).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace bpftrap
