// SPDX-License-Identifier: GPL-2.0-only
// Facts about this machine that add to a recording of it.
#pragma once

#include <string>
#include <string_view>

#include "core/analysis/died/report.h"

namespace bpftrap {

// True if this machine has not been booted since.
bool is_this_boot(std::string_view boot_id);

// `exit`: an end of this boot.
DeathSurroundings read_surroundings(const ExitRecord& exit);

}  // namespace bpftrap
