// SPDX-License-Identifier: GPL-2.0-only
// Records have process ids of the initial pid namespace; kill() and /proc use those of the
// caller's.
#pragma once

namespace bpftrap {

enum class PidNamespace { initial, other, unknown };

// The pid namespace of this process; unknown without /proc.
PidNamespace own_pid_namespace();

}  // namespace bpftrap
