// SPDX-License-Identifier: GPL-2.0-only
// A command line taken apart as bash would, without one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace e2e {

// The words of a simple command of plain characters, '…' and $'…'. Throws Failure where a shell
// would see anything else: an operator, an expansion, an end of quotes that is missing.
std::vector<std::string> shell_words(std::string_view line);

// Whether a terminal may be given it: valid UTF-8 without control characters other than the line
// feed.
bool is_terminal_safe(std::string_view text);

// Without the escape sequences that set a colour; `count` says how many there were.
std::string without_colors(std::string_view text, int* count = nullptr);

}  // namespace e2e
