// SPDX-License-Identifier: GPL-2.0-only
// Globs of --name, translated for the BPF programs, which match them in 16 steps without a loop
// that depends on the glob.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bpf/scope.h"

namespace bpftrap {

// Any of `globs`, as glob(7) has it: `*`, `?`, `[a-z]`, `[!a-z]`, and a backslash before what is to
// be taken literally. Throws std::invalid_argument (the second half of a sentence) where one is
// malformed, or where they take more than the 64 positions that there are: a glob takes one for
// each of its elements and one more.
bpftrap_globs compile_globs(const std::vector<std::string>& globs);

// What the BPF programs do with them (src/bpf/scope.bpf.h name_matches()), for tests.
bool globs_match(const bpftrap_globs& globs, std::string_view comm);

}  // namespace bpftrap
