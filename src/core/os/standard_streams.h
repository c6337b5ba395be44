// SPDX-License-Identifier: GPL-2.0-only
// Descriptors 0, 1 and 2 where bpftrap was started without them.
#pragma once

namespace bpftrap {

// Puts /dev/null at those that are closed, so that nothing that is opened later gets their number
// and is taken for a standard stream. To be called before anything is opened. PROGRAM does not
// inherit it.
void fill_standard_streams();

// Whether the stream was closed when bpftrap was started, or still is.
bool was_closed(int standard_stream);

}  // namespace bpftrap
