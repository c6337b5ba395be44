// SPDX-License-Identifier: GPL-2.0-only
#include "cli/detail_options.h"

#include <CLI/CLI.hpp>
#include <stdexcept>

#include "cli/common_options.h"
#include "cli/name_glob.h"

namespace bpftrap {

namespace {

void add_variables(DetailOptions& options, std::string_view glob) {
  // The globs have 64 positions, so no pattern needs more bytes.
  constexpr unsigned bytes_most = 64;
  if (glob.find('=') != std::string_view::npos) {
    throw std::invalid_argument(
        "has a =, but no name of a variable has; expected a name or a glob "
        "such as 'LD_*'");
  }
  options.variables.emplace_back(glob);
  options.variable_globs = compile_globs(options.variables, bytes_most);
}

}  // namespace

void add_detail_options(CLI::App& app, DetailOptions& options) {
  begin_group(app, "Output");
  add_repeatable_option(
      app, "--env", [&options](std::string_view text) { add_variables(options, text); },
      "record environment variables whose name matches, such as 'LD_*' (repeatable); values may be "
      "secrets",
      "GLOB");
  add_switch(app, "--stdio", options.stdio,
             "record what standard input, output and error refer to");
}

void set_details(bpftrap_scope& scope, const DetailOptions& options) {
  scope.stdio = options.stdio ? 1 : 0;
  scope.env = options.variables.empty() ? 0 : 1;
  scope.variables = options.variable_globs;
}

}  // namespace bpftrap
