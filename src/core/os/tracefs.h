// SPDX-License-Identifier: GPL-2.0-only
// tracefs, in which classic tracepoints are found. It is not mounted on every machine.
#pragma once

#include <string>

namespace bpftrap {

// The mount point of tracefs. If it is not mounted, mounts it in a new mount namespace of this
// process, which changes nothing for others. Throws Error with the command that mounts it.
std::string provide_tracefs();

}  // namespace bpftrap
