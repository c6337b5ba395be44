// SPDX-License-Identifier: GPL-2.0-only
// The time of the fuzz targets that write records, so that an input gives the same bytes each time:
// a wall clock that stands, in UTC.
#pragma once

#include "core/os/clock.h"

namespace bpftrap {

// 2026-01-31T12:00:00Z when the boot clock shows 1000 s.
const WallClock& fixed_clock();

}  // namespace bpftrap
