// SPDX-License-Identifier: GPL-2.0-only
// Interprets facts and suggests fixes: the lines of `bpftrap doctor`, and the reason printed for a
// failed load or attach. Pure functions of facts, so tests need no kernel.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/facts.h"

namespace bpftrap {

// degraded: exec and exit work with limits, or another command does not work.
enum class CheckState { ok, degraded, missing };

struct Check {
  std::string_view name;  // static storage; stable, because JSON contains it
  CheckState state = CheckState::ok;
  std::string meaning;  // one line: the finding and its consequence
  std::string fix;      // one line: how to fix it; empty if there is nothing to fix
};

// Returns the checks ordered by dependency: the first missing one is the cause of later ones.
std::vector<Check> diagnose(const Facts& facts);

// True if exec and exit will work: no check is missing.
bool will_work(std::span<const Check> checks);

// Returns one line: will exec and exit work, and if not, which checks are missing.
std::string verdict(std::span<const Check> checks);

// Explains in one sentence why loading or attaching failed with `err` (an errno value), and how to
// fix it. `log` has libbpf's warnings.
std::string explain_failure(const Facts& facts, int err, std::span<const std::string> log);

// Explains why a file could not be opened (EMFILE), and how to fix it.
std::string explain_open_files(const Facts& facts);

// Returns the most informative line of libbpf's warnings, or an empty string. Prefers the
// verifier's reason to libbpf's messages.
std::string telling_line(std::span<const std::string> log);

}  // namespace bpftrap
