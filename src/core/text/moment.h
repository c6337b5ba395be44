// SPDX-License-Identifier: GPL-2.0-only
// Parses a moment of the wall clock, as --since and --until take it.
#pragma once

#include <string_view>

#include "core/os/clock.h"

namespace bpftrap {

// Accepts RFC 3339, `2026-11-17`, `2026-11-17 14:00`, `14:00` (both with `:SS`, and `.FRACTION`
// behind that), `now`, `today`, `yesterday`, and `-2h` (a duration before `now`). Times without a
// zone are local. Throws std::invalid_argument with half a sentence, as units.h does.
WallTime parse_moment(std::string_view text, WallTime now);

}  // namespace bpftrap
