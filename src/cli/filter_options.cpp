// SPDX-License-Identifier: GPL-2.0-only
#include "cli/filter_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>

#include "cli/common_options.h"
#include "cli/name_glob.h"
#include "core/os/users.h"
#include "core/text/units.h"

namespace bpftrap {

namespace {

std::uint32_t parse_user(std::string_view text) {
  if (std::optional<uid_t> uid = Users().id(text)) {
    return *uid;
  }
  throw std::invalid_argument("is not a user; expected a name or a uid");
}

}  // namespace

void add_name_options(CLI::App& app, FilterOptions& options, std::string_view verb) {
  add_repeatable_option(
      app, "-n,--name",
      [&options](std::string_view text) {
        options.names.emplace_back(text);
        options.name_globs = compile_globs(options.names);
      },
      fmt::format("{} only processes whose name (comm) matches, such as 'python*' (repeatable)",
                  verb)
          .c_str(),
      "GLOB");
  add_repeatable_option(
      app, "--exclude-name",
      [&options](std::string_view text) {
        options.excluded_names.emplace_back(text);
        options.excluded_name_globs = compile_globs(options.excluded_names);
      },
      "omit processes whose name matches (repeatable)", "GLOB");
}

void add_filter_options(CLI::App& app, FilterOptions& options, bool by_name) {
  begin_group(app, "Filters");
  add_repeatable_option(
      app, "-p,--pid",
      [&options](std::string_view text) { options.pids.push_back(parse_pid_or_id(text)); },
      "trace only this process, a pid or an id; end when it has ended (repeatable)", "PID");
  add_repeatable_option(
      app, "-t,--tree",
      [&options](std::string_view text) { options.trees.push_back(parse_pid(text)); },
      "trace only this process and its descendants; end when none is left (repeatable)", "PID");
  add_repeatable_option(
      app, "-u,--user",
      [&options](std::string_view text) {
        if (options.uids.size() == BPFTRAP_UIDS_MOST) {
          throw std::invalid_argument("is one too many; expected at most 16 users");
        }
        options.uids.push_back(parse_user(text));
      },
      "trace only processes with this real user, a name or a uid (repeatable)", "USER");
  if (by_name) {
    add_name_options(app, options, "trace");
  }
  add_repeatable_option(
      app, "-g,--cgroup",
      [&options](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument("is not a cgroup; expected its directory, or its v2 path");
        }
        if (options.cgroups.size() == BPFTRAP_CGROUPS_MOST) {
          throw std::invalid_argument("is one too many; expected at most 8 cgroups");
        }
        options.cgroups.emplace_back(text);
      },
      "trace only processes in this cgroup (v2) and below (repeatable)", "PATH");
  add_program_words(app, options);
  app.parse_complete_callback([&options] { check_filters(options); });
}

void add_program_words(CLI::App& app, FilterOptions& options) {
  add_repeatable_option(
      app, program_word_option,
      [&options](std::string_view text) { options.program.emplace_back(text.substr(1)); }, "", "")
      ->group("");
}

void check_filters(const FilterOptions& options) {
  if (!options.program.empty() && !(options.trees.empty() && options.pids.empty())) {
    refuse_usage(std::string(options.trees.empty() ? "--pid" : "--tree") +
                 ": cannot be combined with -- PROGRAM; expected one of them");
  }
}

bpftrap_scope filter_scope(const FilterOptions& options) {
  bpftrap_scope scope{};
  scope.filter_pids = options.pids.empty() ? 0 : 1;
  scope.uids_count = static_cast<std::uint32_t>(options.uids.size());
  std::copy(options.uids.begin(), options.uids.end(), scope.uids);
  scope.filter_names = options.names.empty() ? 0 : 1;
  scope.names = options.name_globs;
  scope.exclude_names = options.excluded_names.empty() ? 0 : 1;
  scope.excluded_names = options.excluded_name_globs;
  scope.cgroups_count = static_cast<std::uint32_t>(options.cgroups.size());
  scope.follow = options.trees.empty() && options.program.empty() ? 0 : 1;
  return scope;
}

}  // namespace bpftrap
