// SPDX-License-Identifier: GPL-2.0-only
// Splits a command line as bash would, without bash.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace e2e {

// The words of a simple command of plain characters, '…' and $'…'. Throws Failure if a shell would
// see anything else: an operator, an expansion, or a missing closing quote.
std::vector<std::string> shell_words(std::string_view line);

// True for text that is safe on a terminal: valid UTF-8, with no control character except the line
// feed.
bool is_terminal_safe(std::string_view text);

// Removes the escape sequences that set a colour. `count` receives their number.
std::string without_colors(std::string_view text, int* count = nullptr);

}  // namespace e2e
