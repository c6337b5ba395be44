// SPDX-License-Identifier: GPL-2.0-only
// What facts mean for bpftrap and what fixes it: the lines of `bpftrap doctor`, and the reason
// under a failed load or attach. Pure functions of facts, so that tests need no kernel.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/facts.h"

namespace bpftrap {

// degraded: exec and exit work, with less, or another command does not.
enum class CheckState { ok, degraded, missing };

struct Check {
  std::string_view name;  // static; stable, as JSON has it
  CheckState state = CheckState::ok;
  std::string meaning;  // what was found and what follows from it, a line
  std::string fix;      // what to do about it, a line; empty where there is nothing
};

// In the order in which one thing rests on the other: the first that is missing is the cause.
std::vector<Check> diagnose(const Facts& facts);

// Whether exec and exit will work: nothing is missing.
bool will_work(std::span<const Check> checks);

// One line: whether exec and exit will work, and what is in the way.
std::string verdict(std::span<const Check> checks);

// Why loading or attaching failed with `err` (errno), and what fixes it: one sentence. `log`: what
// libbpf said.
std::string explain_failure(const Facts& facts, int err, std::span<const std::string> log);

// The line of libbpf's warnings that says most; empty where none does. The verifier's reason goes
// before libbpf's own words.
std::string telling_line(std::span<const std::string> log);

}  // namespace bpftrap
