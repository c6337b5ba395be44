// SPDX-License-Identifier: GPL-2.0-only
// Globs of --name, translated for the BPF programs, which match them in 16 steps without a loop
// that depends on the glob.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bpf/scope.h"

namespace bpftrap {

// Any of `globs`, as in glob(7): `*`, `?`, `[a-z]`, `[!a-z]`, and a backslash before a character
// that is taken literally. Throws std::invalid_argument (the second half of a sentence) if one is
// malformed or needs more bytes than a name has, or if they take more than 64 positions in all: a
// glob takes one for each of its elements and one more.
bpftrap_globs compile_globs(const std::vector<std::string>& globs);

// What the BPF programs do with them (src/bpf/scope.bpf.h name_matches()), for tests.
bool globs_match(const bpftrap_globs& globs, std::string_view comm);

}  // namespace bpftrap
