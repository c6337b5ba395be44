// SPDX-License-Identifier: GPL-2.0-only
#include "cli/trace_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "cli/name_glob.h"
#include "core/os/users.h"
#include "core/text/units.h"

namespace bpftrap {

namespace {

constexpr std::uint64_t buffer_most = std::uint64_t{1} << 31;

}  // namespace

void add_trace_options(CLI::App& app, TraceOptions& options, const std::string& failed) {
  using namespace std::chrono_literals;
  add_parsed_option(
      app, "-p,--pid",
      [&options](std::string_view text) { options.pids.push_back(parse_pid(text)); },
      "only this process (repeatable)", "PID")
      ->take_all()
      ->trigger_on_parse();
  add_parsed_option(
      app, "-u,--user",
      [&options](std::string_view text) {
        std::optional<uid_t> uid = Users().id(text);
        if (!uid) {
          throw std::invalid_argument("is no user; accepted: a name of /etc/passwd or a number");
        }
        if (options.uids.size() == BPFTRAP_UIDS_MOST) {
          throw std::invalid_argument("is one too many; accepted: 16 users");
        }
        options.uids.push_back(*uid);
      },
      "only processes whose real user is USER, a name or number (repeatable)", "USER")
      ->take_all()
      ->trigger_on_parse();
  add_parsed_option(
      app, "-n,--name",
      [&options](std::string_view text) {
        options.names.emplace_back(text);
        options.name_globs = compile_globs(options.names);
      },
      "only processes whose name matches, such as 'python*' (repeatable)", "GLOB")
      ->take_all()
      ->trigger_on_parse();
  add_parsed_option(
      app, "-g,--cgroup",
      [&options](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument(
              "is no cgroup; accepted: its directory, or its path within v2");
        }
        if (options.cgroups.size() == BPFTRAP_CGROUPS_MOST) {
          throw std::invalid_argument("is one too many; accepted: 8 cgroups");
        }
        options.cgroups.emplace_back(text);
      },
      "only processes in this cgroup (v2) and below (repeatable)", "PATH")
      ->take_all()
      ->trigger_on_parse();
  add_parsed_option(
      app, "-t,--tree",
      [&options](std::string_view text) { options.trees.push_back(parse_pid(text)); },
      "only this process and its descendants (repeatable)", "PID")
      ->take_all()
      ->trigger_on_parse();
  add_parsed_option(
      app, "-d,--min-duration",
      [&options](std::string_view text) { options.min_duration = parse_duration(text, 1ms); },
      "only processes that lived at least this long (ns, us, ms, s, m or h; bare: ms)", "TIME");
  app.add_flag("-f,--failed", options.failed, failed);
  add_output_options(app, options.output);
  app.add_flag("--summary", options.output.summary,
               "at the end, say on standard error what ran, by program name");
  app.add_flag("--wait-all", options.wait_all,
               "with -- PROGRAM: end when its last descendant has ended, too");
  add_parsed_option(
      app, program_word_option,
      [&options](std::string_view text) { options.program.emplace_back(text.substr(1)); }, "", "")
      ->take_all()
      ->trigger_on_parse()
      ->group("");
  add_file_option(app, "--btf", options.btf,
                  "take the kernel's types from FILE: for kernels that have no BTF of their own");
  add_parsed_option(
      app, "--buffer-size",
      [&options](std::string_view text) {
        options.buffer_size = parse_size(text);
        if (options.buffer_size == 0 || options.buffer_size > buffer_most) {
          throw std::invalid_argument("is no size for a ring buffer; accepted: 1 to 2G");
        }
      },
      fmt::format("size of the ring buffer (K, M, G; default {}M), rounded up to a power of two",
                  BPFTRAP_BUFFER_DEFAULT >> 20),
      "SIZE");
}

void check_together(const TraceOptions& options) {
  if (options.program.empty() && options.wait_all) {
    throw CLI::ValidationError(
        "--wait-all: waits for the descendants of a program; accepted: with -- PROGRAM");
  }
  if (!options.program.empty() && !options.trees.empty()) {
    throw CLI::ValidationError(
        "--tree: not with -- PROGRAM, which is a tree of its own; accepted: one of them");
  }
}

std::uint32_t ring_buffer_bytes(std::uint64_t asked, std::uint64_t page) {
  return static_cast<std::uint32_t>(std::bit_ceil(std::max(asked, page)));
}

bpftrap_scope make_scope(const TraceOptions& options, CommandScope command) {
  bpftrap_scope scope{};
  scope.min_duration_ns =
      options.min_duration ? static_cast<std::uint64_t>(options.min_duration->count()) : 0;
  scope.filter_pids = options.pids.empty() ? 0 : 1;
  scope.uids_count = static_cast<std::uint32_t>(options.uids.size());
  std::copy(options.uids.begin(), options.uids.end(), scope.uids);
  scope.filter_names = options.names.empty() ? 0 : 1;
  scope.names = options.name_globs;
  scope.cgroups = static_cast<std::uint32_t>(options.cgroups.size());
  scope.follow = options.trees.empty() && options.program.empty() ? 0 : 1;
  scope.report_forks = options.tree_view ? 1 : 0;
  scope.only_executed = command.only_executed ? 1 : 0;
  scope.keep_wanted = command.keep_wanted ? 1 : 0;
  scope.only_failed = options.failed && command.failed_is_status ? 1 : 0;
  return scope;
}

}  // namespace bpftrap
