// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace bpftrap {

// Drops the code and constants of the executable from the resident set. Most of them were needed at
// the start only; the others come back from the page cache, by minor faults.
void release_executable() noexcept;

}  // namespace bpftrap
