// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <stdexcept>
#include <utility>

#include "cli/common_options.h"
#include "cli/show.h"
#include "core/os/users.h"
#include "core/text/moment.h"

namespace bpftrap {

namespace {

constexpr Events default_events{.execs = true, .exits = true};

// The path of a cgroup as records have it. The directory of the mount is accepted, too.
std::string cgroup_path(std::string_view text) {
  constexpr std::string_view mount = "/sys/fs/cgroup";
  if (text.starts_with(mount) && (text.size() == mount.size() || text[mount.size()] == '/')) {
    text.remove_prefix(mount.size());
  }
  return text.starts_with('/') ? std::string(text) : "/" + std::string(text);
}

void add_process_options(CLI::App& app, ShowOptions& options) {
  begin_group(app, "Filters");
  add_repeatable_option(
      app, "-p,--pid",
      [&options](std::string_view text) { options.trace.pids.push_back(parse_pid_or_id(text)); },
      "print only processes that had this pid, or this id (repeatable)", "PID");
  add_repeatable_option(
      app, "-t,--tree",
      [&options](std::string_view text) { options.trace.trees.push_back(parse_pid(text)); },
      "print only processes that had this pid, and their descendants (repeatable)", "PID");
  add_repeatable_option(
      app, "-u,--user",
      [&options](std::string_view text) {
        // Names are those of the recording, but no machine has a larger number.
        bool is_number = text.find_first_not_of("0123456789") == std::string_view::npos;
        if (text.empty() || (is_number && !Users("").id(text))) {
          throw std::invalid_argument("is not a user; expected a name or a uid");
        }
        options.users.emplace_back(text);
      },
      "print only processes with this real user, a name or a uid (repeatable)", "USER");
  add_name_options(app, options.trace, "print");
  add_repeatable_option(
      app, "-g,--cgroup",
      [&options](std::string_view text) {
        if (text.empty()) {
          throw std::invalid_argument("is not a cgroup; expected its directory, or its v2 path");
        }
        options.trace.cgroups.push_back(cgroup_path(text));
      },
      "print only processes in this cgroup and below (repeatable)", "PATH");
}

void add_window_options(CLI::App& app, ShowOptions& options) {
  begin_group(app, "Time");
  auto add = [&](const char* name, const char* description, std::optional<std::int64_t>& to) {
    add_parsed_option(
        app, name, [&to](std::string_view text) { to = parse_moment(text, WallClock().now()).ns; },
        description, "TIME");
  };
  add("--since",
      "print from this time on: 2026-11-17, '2026-11-17 14:00', 14:00, RFC 3339, now, today, "
      "yesterday, -2h (two hours ago)",
      options.since_ns);
  add("--until", "print up to this time", options.until_ns);
  add_parsed_option(
      app, "--last", [&options](std::string_view text) { options.last = parse_count(text); },
      "print the last N records", "N");
  add_count_option(app, options.trace.output);
  add_switch(app, "-f,--follow", options.follow,
             "print the last 10 records, then new ones until the recorder ends");
  add_file_option(app, "--cursor-file", options.cursor_file,
                  "start behind the position in FILE, and keep the new position there");
}

void add_script_option(CLI::App& app, ShowOptions& options) {
  add_parsed_option(
      app, "--script",
      [&options](std::string_view text) {
        PidOrId id = parse_pid_or_id(text);
        if (id.start_boot_ns == 0) {
          throw std::invalid_argument("is not the id of a process; expected PID-START");
        }
        options.script = {id.pid, id.start_boot_ns};
      },
      "print a shell script that runs the last command of this process again", "ID");
}

// True if parts of the recording are left out or replaced.
bool selects(const ShowOptions& options) {
  const TraceOptions& trace = options.trace;
  return !trace.pids.empty() || !trace.trees.empty() || !options.users.empty() ||
         !trace.names.empty() || !trace.excluded_names.empty() || !trace.cgroups.empty() ||
         !trace.arguments.empty() || !trace.redaction.empty() || options.since_ns ||
         options.until_ns;
}

// Files are made of all events, and of the whole run.
void check_exports(const ShowOptions& options) {
  const std::vector<ExportOptions::File>& files = options.trace.exports.files;
  if (files.empty() && !options.script) {
    return;
  }
  const OutputOptions& output = options.trace.output;
  const std::array<std::pair<bool, const char*>, 10> others{{
      {options.follow, "--follow"},
      {!options.cursor_file.empty(), "--cursor-file"},
      {options.last.has_value(), "--last"},
      {output.count.has_value(), "--count"},
      {output.summary, "--summary"},
      {output.format != nullptr, "--json"},
      {!output.output.empty() && !options.script, "--output"},
      {options.trace.event_list.has_value(), "--event"},
      {options.trace.failed, "--failed"},
      {options.trace.min_duration.has_value(), "--min-duration"},
  }};
  for (const auto& [given, name] : others) {
    if (given) {
      refuse_usage(fmt::format("{}: cannot be combined with {}; expected one of them", name,
                               files.empty() ? "--script" : files.front().format->option));
    }
  }
  for (const ExportOptions::File& file : files) {
    if (file.format->write_run != nullptr && selects(options)) {
      refuse_usage(
          fmt::format("{}: shows the whole recording; expected no filter, --redact, "
                      "--since or --until",
                      file.format->option));
    }
  }
}

}  // namespace

void add_show_options(CLI::App& app, ShowOptions& options) {
  app.add_option(
         "FILE|DIR|ID", options.source,
         "the recording (default trace.bpftrap, else the recorder's directory), or a process "
         "of it: PID-START")
      ->check(&refuse_empty_path);
  begin_group(app, "Source");
  add_switch(app, "--system", options.of_system,
             "show the directory of the installed recorder, /var/lib/bpftrap");
  add_process_options(app, options);
  add_selection_options(app, options.trace, default_events);
  add_window_options(app, options);
  add_export_options(app, options.trace.exports);
  add_script_option(app, options);
  add_file_options(app, options.trace.output);
  add_look_options(app, options.trace, "print a summary instead of the records");
}

void check_show_options(const ShowOptions& options) {
  check_together(options.trace);
  check_exports(options);
  if (options.since_ns && options.until_ns && *options.since_ns > *options.until_ns) {
    refuse_usage("--until: is before --since; expected a later time");
  }
  if (options.follow && options.until_ns) {
    refuse_usage("--follow: cannot be combined with --until; expected one of them");
  }
  if (options.follow && options.trace.output.summary) {
    refuse_usage("--follow: cannot be combined with --summary; expected one of them");
  }
  if (!options.cursor_file.empty() && (options.until_ns || options.last)) {
    refuse_usage(std::string("--cursor-file: cannot be combined with ") +
                 (options.last ? "--last" : "--until") + "; expected one of them");
  }
  if (options.last && options.trace.output.count) {
    refuse_usage("--last: cannot be combined with --count; expected one of them");
  }
}

}  // namespace bpftrap
