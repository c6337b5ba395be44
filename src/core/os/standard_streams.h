// SPDX-License-Identifier: GPL-2.0-only
// Descriptors 0, 1 and 2, if bpftrap was started without them; the width of a terminal.
#pragma once

#include <cstddef>

namespace bpftrap {

// Opens /dev/null on those that are closed, so that no file opened later gets their number and
// becomes a standard stream. Call it before anything is opened. PROGRAM does not inherit it.
void fill_standard_streams();

// Whether the stream was closed when bpftrap was started, or still is.
bool was_closed(int standard_stream);

// Returns the columns of the terminal that is open as `fd`, or `otherwise` if it is none or does
// not tell.
std::size_t terminal_columns(int fd, std::size_t otherwise);

}  // namespace bpftrap
