// SPDX-License-Identifier: GPL-2.0-only
// Individual checks, each a pure function of facts. Only the files that implement
// core/doctor/diagnosis.h include this header.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/diagnosis.h"

namespace bpftrap::detail {

// Joins strings. A call takes less code than fmt::format().
std::string concat(std::initializer_list<std::string_view> parts);

Check ok(std::string_view name, std::string_view meaning);
Check degraded(std::string_view name, std::string_view meaning, std::string_view fix);
Check missing(std::string_view name, std::string_view meaning, std::string_view fix);

std::string message_of(int err);

// True if both programs were tried and work, whatever other checks found.
inline bool loads(const Facts& facts) {
  return facts.exec && facts.exec->worked() && facts.exit && facts.exit->worked();
}

// Returns how to get the capabilities. `more` (",cap_…") follows the two that are always needed.
std::string fix_for_capabilities(const Facts& facts, std::string_view more = {});

inline constexpr std::string_view fix_for_open_files =
    "raise it first: `ulimit -n 1024`, --ulimit nofile=1024 (docker, podman) or LimitNOFILE=1024 "
    "(systemd)";

// Each appends its checks in the order of diagnose().
void check_privileges(const Facts& facts, std::vector<Check>& checks);
void check_kernel(const Facts& facts, std::vector<Check>& checks);
void check_surroundings(const Facts& facts, std::vector<Check>& checks);

}  // namespace bpftrap::detail
