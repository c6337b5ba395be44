// SPDX-License-Identifier: GPL-2.0-only
// The options that choose processes: the filters, and -- PROGRAM.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/scope.h"
#include "core/text/units.h"

// Declared rather than included: see cli/command.h.
namespace CLI {
class App;
}

namespace bpftrap {

struct FilterOptions {
  std::vector<PidOrId> pids;
  std::vector<std::uint32_t> uids;
  std::vector<std::string> names;           // globs
  bpftrap_globs name_globs{};               // `names`, compiled
  std::vector<std::string> excluded_names;  // globs
  bpftrap_globs excluded_name_globs{};      // `excluded_names`, compiled
  std::vector<std::string> cgroups;         // paths
  std::vector<std::uint32_t> trees;         // pids
  std::vector<std::string> program;         // PROGRAM and its arguments
};

// A command with a parse_complete_callback() of its own calls check_filters() there.
// `by_name`: with the options about names.
void add_filter_options(CLI::App& app, FilterOptions& options, bool by_name = true);

// Takes the words of PROGRAM, without any option.
void add_program_words(CLI::App& app, FilterOptions& options);

// The options about names. `verb`: what the command does with processes.
void add_name_options(CLI::App& app, FilterOptions& options, std::string_view verb);

// Refuses filters that contradict each other. Throws CLI::ValidationError.
void check_filters(const FilterOptions& options);

// The part of the BPF programs' configuration that the filters decide.
bpftrap_scope filter_scope(const FilterOptions& options);

}  // namespace bpftrap
