// SPDX-License-Identifier: GPL-2.0-only
#include "cli/trace_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "bpf/process.event.h"
#include "cli/name_glob.h"
#include "cli/offered_values.h"
#include "core/text/units.h"

namespace bpftrap {

namespace {

// Each record begins with 8 bytes of the kernel's: BPF_RINGBUF_HDR_SZ. A record of another kind may
// be longer (docs/exec.md), but without cgroup paths each trace would be incomplete.
constexpr std::uint64_t buffer_least = std::uint64_t{8} << 10;
static_assert(8 + sizeof(bpftrap_cgroup_event) + BPFTRAP_CGROUP_NAMES_SIZE <= buffer_least);
constexpr std::uint64_t buffer_most = std::uint64_t{1} << 31;

std::uint64_t parse_buffer_size(std::string_view text) {
  std::uint64_t size = parse_size(text);
  if (size < buffer_least || size > buffer_most) {
    throw std::invalid_argument("is not a ring buffer size; expected 8K to 2G");
  }
  return size;
}

void add_event_options(CLI::App& app, TraceOptions& options) {
  begin_group(app, "Events");
  using namespace std::chrono_literals;
  add_parsed_option(
      app, "-d,--min-duration",
      [&options](std::string_view text) { options.min_duration = parse_duration(text, 1ms); },
      "print only the ends of processes that lived at least this long (10s, 1h30m; a bare number "
      "is milliseconds)",
      "TIME");
  add_switch(app, "-x,--failed", options.failed,
             "print only failures: ends with a status other than 0, and failed execs");
  CLI::Option* event = add_parsed_option(
      app, "--event",
      [&options](std::string_view text) { options.event_list = parse_events(text); },
      fmt::format("print these events: exec, failed (failed execs), fork, exit (every end), "
                  "separated by commas; +LIST adds to the default, which is {}",
                  options.default_events.execs ? "exec and the ends of these" : "exit")
          .c_str(),
      "LIST");
  offer_values(event, {"exec", "failed", "fork", "exit"});
}

template <class Take>
void add_regex_option(CLI::App& app, const char* name, const char* description, Take take) {
  add_parsed_option(
      app, name, [take](std::string_view text) { take(Regex(std::string(text))); }, description,
      "REGEX")
      ->take_all()
      ->trigger_on_parse();
}

void add_redact_option(CLI::App& app, TraceOptions& options) {
  begin_group(app, "Output");
  add_regex_option(app, "--redact",
                   "replace each match in arguments and environment by *** (repeatable)",
                   [&options](Regex regex) { options.redaction.add(std::move(regex)); });
}

void add_argument_options(CLI::App& app, TraceOptions& options) {
  begin_group(app, "Filters");
  auto add = [&](const char* name, const char* description, auto take) {
    add_regex_option(app, name, description, take);
  };
  add("--match",
      "print only processes whose arguments, joined by one space, match (their name, if there are "
      "no arguments); POSIX extended (repeatable)",
      [&options](Regex regex) { options.arguments.require(std::move(regex)); });
  add("--exclude-match", "omit processes whose arguments match (repeatable)",
      [&options](Regex regex) { options.arguments.exclude(std::move(regex)); });
  add_redact_option(app, options);
}

void add_fail_on(TraceOptions& options, std::string_view glob) {
  // The globs have 64 positions, so no pattern needs more bytes.
  constexpr unsigned bytes_most = 64;
  if (glob.find('/') != std::string_view::npos) {
    throw std::invalid_argument("has a /, but no base name has; expected a name such as 'curl'");
  }
  options.fail_on.emplace_back(glob);
  options.fail_on_globs = compile_globs(options.fail_on, bytes_most);
}

void add_program_options(CLI::App& app, TraceOptions& options) {
  begin_group(app, "Tracing");
  add_switch(app, "--wait-all", options.wait_all,
             "with PROGRAM, end when its last descendant has ended");
}

void add_kernel_options(CLI::App& app, TraceOptions& options) {
  begin_group(app, "Tracing");
  add_file_option(app, "--btf", options.btf,
                  "read the kernel's types from FILE, for a kernel without BTF");
  add_parsed_option(
      app, "--buffer-size",
      [&options](std::string_view text) { options.buffer_size = parse_buffer_size(text); },
      fmt::format(
          "set the size of the ring buffer (K, M, G; default {}M), rounded up to a power of "
          "two",
          BPFTRAP_BUFFER_DEFAULT >> 20)
          .c_str(),
      "SIZE");
}

bool only_reported_exits(const Events& events) {
  return events.exits && !events.every_exit;
}

bool exits_of_execs_only(const TraceOptions& options, const Events& events) {
  return only_reported_exits(events) && !options.min_duration;
}

}  // namespace

void add_trace_options(CLI::App& app, TraceOptions& options, const Events& default_events) {
  options.default_events = default_events;
  add_filter_options(app, options);
  add_argument_options(app, options);
  add_event_options(app, options);
  add_detail_options(app, options.details);
  add_output_options(app, options.output);
  add_look_options(
      app, options,
      "print a summary at the end, on standard error: the run, programs, slowest commands");
  add_switch(app, "-q,--quiet", options.output.quiet,
             "print no records, for --summary and --fail-on");
  add_program_options(app, options);
  add_repeatable_option(
      app, "--fail-on", [&options](std::string_view text) { add_fail_on(options, text); },
      "with PROGRAM, exit with 99 if a program is executed whose file has this name, such as "
      "'curl*', whatever the filters (repeatable)",
      "GLOB");
  add_kernel_options(app, options);
}

void add_look_options(CLI::App& app, TraceOptions& options, const char* summary) {
  add_table_options(app, options.output.table, {fields<ExitRecord>(), fields<ExecRecord>()});
  begin_group(app, "Output");
  add_switch(app, "--forest", options.forest, "indent command lines by descent, as ps f does");
  add_switch(app, "--summary", options.output.summary, summary);
}

void add_selection_options(CLI::App& app, TraceOptions& options, const Events& default_events) {
  options.default_events = default_events;
  add_argument_options(app, options);
  add_event_options(app, options);
}

void add_record_options(CLI::App& app, TraceOptions& options) {
  options.default_events = {
      .execs = true, .failed_execs = true, .forks = true, .exits = true, .every_exit = true};
  constexpr bool by_name = false;  // `show` filters by name
  add_filter_options(app, options, by_name);
  add_detail_options(app, options.details);
  add_redact_option(app, options);
  add_recording_option(app, options.output);
  add_export_options(app, options.exports);
  add_length_options(app, options.output);
  add_program_options(app, options);
  add_kernel_options(app, options);
}

void complete(TraceOptions& options) {
  options.output.until_program_ends = !options.program.empty();
  check_together(options);
}

void check_together(const TraceOptions& options) {
  check_output_options(options.output);
  if (options.program.empty() && options.wait_all) {
    refuse_usage("--wait-all: there is no PROGRAM; expected -- PROGRAM");
  }
  if (options.program.empty() && !options.fail_on.empty()) {
    refuse_usage("--fail-on: there is no PROGRAM; expected -- PROGRAM");
  }
  check_filters(options);
  Events listed = options.event_list ? options.event_list->events : Events{};
  if (options.failed && (listed.execs || listed.forks)) {
    refuse_usage(std::string("--event: ") + (listed.execs ? "exec" : "fork") +
                 " conflicts with --failed, which prints failures; expected failed, exit");
  }
  if (options.min_duration && (listed.execs || listed.failed_execs || listed.forks)) {
    refuse_usage("--event: --min-duration applies to ends only; expected exit");
  }
  if (options.forest) {
    refuse_format(options.output, "--forest", "which has parent_id");
  }
  if (!options.output.table.columns.empty()) {
    refuse_format(options.output, "--columns", "which has every key");
  }
  if (options.output.quiet && !options.output.summary && options.fail_on.empty()) {
    refuse_usage("--quiet: nothing would be printed; expected --summary or --fail-on with it");
  }
  if (options.output.summary && !chosen_events(options).exits) {
    refuse_usage("--summary: needs the ends of processes; expected exit in --event");
  }
}

std::uint32_t ring_buffer_bytes(std::uint64_t asked, std::uint64_t page) {
  return static_cast<std::uint32_t>(std::bit_ceil(std::max(asked, page)));
}

Events chosen_events(const TraceOptions& options) {
  Events events = options.default_events;
  if (options.failed) {
    events.execs = false;
    events.failed_execs = true;
  }
  if (options.event_list) {
    events = options.event_list->added ? events | options.event_list->events
                                       : options.event_list->events;
  }
  if (options.min_duration) {
    events.execs = false;
    events.failed_execs = false;
  }
  return events;
}

bool shows_ancestors(const TraceOptions& options) {
  const std::vector<std::string>& columns = options.output.table.columns;
  return std::find(columns.begin(), columns.end(), "ANCESTORS") != columns.end();
}

bpftrap_scope make_scope(const TraceOptions& options) {
  Events events = chosen_events(options);
  bpftrap_scope scope = filter_scope(options);
  set_details(scope, options.details);
  scope.min_duration_ns =
      options.min_duration ? static_cast<std::uint64_t>(options.min_duration->count()) : 0;
  scope.no_exits = events.exits ? 0 : 1;
  bool named_ancestors = shows_ancestors(options) || !options.fail_on.empty();
  scope.report_forks = options.forest || named_ancestors ? 1 : 0;
  scope.report_execs = named_ancestors ? 1 : 0;
  scope.report_final = options.output.summary ? 1 : 0;
  scope.write_forks = events.forks ? 1 : 0;
  scope.only_executed = only_reported_exits(events) ? 1 : 0;
  // The end of every process whose exec was printed is printed.
  bool keep_wanted = !options.min_duration && (events.execs || only_reported_exits(events));
  scope.keep_wanted = keep_wanted ? 1 : 0;
  scope.only_failed = options.failed ? 1 : 0;
  scope.exits_of_execs = exits_of_execs_only(options, events) ? 1 : 0;
  return scope;
}

ProcessStreamOptions stream_options(const TraceOptions& options) {
  Events events = chosen_events(options);
  ProcessStreamOptions stream;
  stream.write_forks = events.forks;
  stream.write_execs = events.execs;
  stream.write_failed_execs = events.failed_execs;
  stream.write_exits = events.exits;
  stream.exits_of_execs_only = exits_of_execs_only(options, events);
  stream.read_older = events.exits && !stream.exits_of_execs_only;
  stream.amend_exits = options.output.summary;
  stream.forest = options.forest;
  // Only programs have rows, unless each birth or each end has one.
  stream.levels = events.forks || events.every_exit ? Genealogy::Levels::processes
                                                    : Genealogy::Levels::programs;
  stream.ancestors = shows_ancestors(options);
  if (!options.fail_on.empty()) {
    stream.fail_on = [globs = options.fail_on_globs](std::string_view name) {
      return globs_match(globs, name);
    };
  }
  stream.arguments = options.arguments;
  stream.redaction = options.redaction;
  return stream;
}

}  // namespace bpftrap
