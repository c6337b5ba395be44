// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap exit`: every process that ends, how, why, and what it cost.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/process_command.h"

namespace bpftrap {

namespace {

int run(const TraceOptions& options) {
  ProcessCommand command;
  command.name = "exit";
  command.columns = {"TIME",     "PID", "PPID", "USER",   "COMM",
                     "DURATION", "CPU", "RSS",  "STATUS", "COMMAND"};
  command.scope.failed_is_status = true;
  command.stream.read_older = true;
  return trace_processes(command, options);
}

}  // namespace

Run setup_exit(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  add_trace_options(app, *options, "only processes that ended with a status other than 0");
  app.parse_complete_callback([options] { check_together(*options); });
  set_examples(app,
               "  sudo bpftrap exit                            every process that ends\n"
               "  sudo bpftrap exit --min-duration 10s         those that lived for 10 s or more\n"
               "  sudo bpftrap exit --timeout 1m -o ends.txt   one minute of it into a file\n"
               "  sudo bpftrap exit --json | jq 'select(.signal != null)'  what died of a signal");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
