// SPDX-License-Identifier: GPL-2.0-only
// tracefs, which classic tracepoints are looked up in and which not every machine has mounted.
#pragma once

#include <string>

namespace bpftrap {

// Where tracefs is mounted. Where it is not, mounts it in a mount namespace of this process alone,
// so that nothing changes for others. Throws Error, which says what to mount.
std::string provide_tracefs();

}  // namespace bpftrap
