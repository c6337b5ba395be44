// SPDX-License-Identifier: GPL-2.0-only
// The running kernel's release, for what nothing else tells.
#pragma once

namespace bpftrap {

// Whether it is that release or a later one.
bool kernel_is_at_least(int major, int minor);

}  // namespace bpftrap
