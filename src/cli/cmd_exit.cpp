// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap exit`: prints every process that ends: how, why, and what it cost.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/process_command.h"

namespace bpftrap {

namespace {

int run(const TraceOptions& options) {
  ProcessCommand command;
  command.name = "exit";
  Events events = chosen_events(options);
  bool only_ends = !events.forks && !events.execs && !events.failed_execs;
  command.columns = {{"TIME"}, {"PID"}, {"PARENT", 100}, {"USER", 120}, {"DURATION"},
                     {"CPU"},  {"RSS"}, {"STATUS"},      {"COMMAND"}};
  if (!only_ends) {
    command.columns.insert(command.columns.begin() + 1, {"EVENT", 100});
  }
  return trace_processes(command, options);
}

}  // namespace

Run setup_exit(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  add_trace_options(app, *options, {.exits = true, .every_exit = true});
  app.parse_complete_callback([options] { complete(*options); });
  set_examples(app,
               "  sudo bpftrap exit                           every process that ends\n"
               "  sudo bpftrap exit -- make -j4               cost of make and its descendants\n"
               "  sudo bpftrap exit --failed --event exit     ends with a status other than 0\n"
               "  sudo bpftrap exit --min-duration 10s        processes that lived 10 s or more\n"
               "  sudo bpftrap exit --timeout 1m -o ends.txt  one minute of ends in a file");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
