// SPDX-License-Identifier: GPL-2.0-only
// Checks as `bpftrap doctor` writes them: as JSON by their table of fields, for people by
// append_report().
#pragma once

#include <span>
#include <string>

#include "core/doctor/diagnosis.h"
#include "core/record/field.h"

namespace bpftrap {

std::span<const Field<Check>> fields_of(const Check*);

// A line per check, what mends it below, and the verdict at the end. Safe for a terminal.
void append_report(std::string& out, std::span<const Check> checks, bool color);

}  // namespace bpftrap
