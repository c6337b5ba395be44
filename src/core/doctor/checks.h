// SPDX-License-Identifier: GPL-2.0-only
// The single checks, each a pure function of facts. Included by the files that make up
// core/doctor/diagnosis.h.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/diagnosis.h"

namespace bpftrap::detail {

// One string of many; small where it is called, unlike fmt::format().
std::string concat(std::initializer_list<std::string_view> parts);

Check ok(std::string_view name, std::string_view meaning);
Check degraded(std::string_view name, std::string_view meaning, std::string_view fix);
Check missing(std::string_view name, std::string_view meaning, std::string_view fix);

std::string message_of(int err);

// Both programs were tried and work, whatever else was found.
inline bool loads(const Facts& facts) {
  return facts.exec && facts.exec->worked() && facts.exit && facts.exit->worked();
}

// How to get the capabilities. `more` follows the two that are always needed (",cap_…").
std::string fix_for_capabilities(const Facts& facts, std::string_view more = {});

// These append their checks, in the order of diagnose().
void check_privileges(const Facts& facts, std::vector<Check>& checks);
void check_kernel(const Facts& facts, std::vector<Check>& checks);
void check_surroundings(const Facts& facts, std::vector<Check>& checks);

}  // namespace bpftrap::detail
