// SPDX-License-Identifier: GPL-2.0-only
// Values that shells offer for an option: those that its value name alone does not tell.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class Option;
}

namespace bpftrap {

// Attaches the values to the option. --help does not show them, and parsing does not use them.
CLI::Option* offer_values(CLI::Option* option, const std::vector<std::string>& values);

// The values attached to the option, none without offer_values().
std::vector<std::string> offered_values(const CLI::Option* option);

}  // namespace bpftrap
