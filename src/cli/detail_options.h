// SPDX-License-Identifier: GPL-2.0-only
// Options that add details to exec records, which are not recorded otherwise because they may hold
// secrets or cost time.
#pragma once

#include <string>
#include <vector>

#include "bpf/scope.h"

// Declared rather than included: see cli/command.h.
namespace CLI {
class App;
}

namespace bpftrap {

struct DetailOptions {
  std::vector<std::string> variables;  // globs of names of environment variables
  bpftrap_globs variable_globs{};      // `variables`, compiled
  bool stdio = false;
};

void add_detail_options(CLI::App& app, DetailOptions& options);

// Sets the part of the BPF programs' configuration that these options decide.
void set_details(bpftrap_scope& scope, const DetailOptions& options);

}  // namespace bpftrap
