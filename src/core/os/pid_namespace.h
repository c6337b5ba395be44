// SPDX-License-Identifier: GPL-2.0-only
// Records have process ids of the initial pid namespace; kill() and /proc have those of one's own.
#pragma once

namespace bpftrap {

enum class PidNamespace { initial, other, unknown };

// That of this process; unknown without /proc.
PidNamespace own_pid_namespace();

}  // namespace bpftrap
