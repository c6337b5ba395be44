// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap exec`: every program that is executed, and the end of the processes that did so.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/process_command.h"

namespace bpftrap {

namespace {

int run(const TraceOptions& options) {
  ProcessCommand command;
  command.name = "exec";
  command.columns = {"TIME", "EVENT", "PID", "PPID", "COMM", "DURATION", "STATUS", "COMMAND"};
  // A tree has to know of the end of each process that it knows of.
  command.scope.only_executed = !options.tree_view;
  command.stream.tree_view = options.tree_view;
  // Whose exec was written, its end is.
  command.scope.keep_wanted = !options.min_duration;
  // With --min-duration only ends are written, those of older processes included.
  command.stream.write_execs = !options.min_duration;
  command.stream.exits_of_execs_only = !options.min_duration;
  command.stream.read_older = options.min_duration.has_value();
  command.failed_execs = options.failed && !options.min_duration;
  return trace_processes(command, options);
}

}  // namespace

Run setup_exec(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  add_trace_options(app, *options, "show execs that failed, too");
  app.add_flag("--tree-view", options->tree_view,
               "indent command lines by descent, as ps f does (table only)");
  app.parse_complete_callback([options] {
    check_together(*options);
    if (options->tree_view && options->output.format != nullptr) {
      throw CLI::ValidationError(
          "--tree-view: not with --json, whose parent_id says the same; accepted: one of them");
    }
  });
  set_examples(
      app,
      "  sudo bpftrap exec                            every program that is executed\n"
      "  sudo bpftrap exec --min-duration 100         programs that ran for 100 ms or more\n"
      "  sudo bpftrap exec --pid 1234 --count 10      ten records of one process\n"
      "  sudo bpftrap exec --json | jq -r '.args[0]'  JSON for other tools");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
