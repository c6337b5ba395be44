// SPDX-License-Identifier: GPL-2.0-only
// Lists of environment variables, as a process is given them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bpftrap {

// `NAME=VALUE` each.
using Environment = std::vector<std::string>;

// The environment that bpftrap itself was given.
Environment own_environment();

// `NAME` of `NAME=VALUE`; all of an entry without `=`.
std::string_view variable_name(std::string_view entry);

// The value of a variable. The first entry of that name counts, as for getenv().
std::optional<std::string_view> find_variable(const Environment& environment,
                                              std::string_view name);

// Replaces all variables of the entry's name by the entry.
void set_variable(Environment& environment, const std::string& entry);

}  // namespace bpftrap
