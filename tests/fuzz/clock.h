// SPDX-License-Identifier: GPL-2.0-only
// A wall clock that stands still, in UTC. With it a fuzz target writes the same bytes each time it
// gets the same input.
#pragma once

#include "core/os/clock.h"

namespace bpftrap {

// 2026-01-31T12:00:00Z is 1000 s on the boot clock.
const WallClock& fixed_clock();

}  // namespace bpftrap
