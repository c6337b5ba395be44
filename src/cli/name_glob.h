// SPDX-License-Identifier: GPL-2.0-only
// Compiles globs of --name, --env and --fail-on. A match takes a step per byte and no
// loop that depends on the glob.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bpf/scope.h"

namespace bpftrap {

// Compiles a set that matches if any of `globs` does. The syntax is glob(7): `*`, `?`, `[a-z]`,
// `[!a-z]`, and a backslash before a literal character. Throws std::invalid_argument (half a
// sentence) if a glob is malformed or needs more than `bytes_most` bytes, by default those of a
// process name. All globs together may take 64 positions: one per element, and one more per glob.
bpftrap_globs compile_globs(const std::vector<std::string>& globs, unsigned bytes_most = 15);

// Matches like the BPF programs (src/bpf/scope.bpf.h, globs_match()).
bool globs_match(const bpftrap_globs& globs, std::string_view name);

}  // namespace bpftrap
