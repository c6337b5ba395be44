// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap exec`: prints every executed program, and the end of its process.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/process_command.h"

namespace bpftrap {

namespace {

int run(const TraceOptions& options) {
  ProcessCommand command;
  command.name = "exec";
  // Without EVENT, a row with a DURATION is an end.
  command.columns = {{"TIME"},      {"EVENT", 100}, {"PID"},    {"PARENT"},
                     {"USER", 120}, {"DURATION"},   {"STATUS"}, {"COMMAND"}};
  return trace_processes(command, options);
}

}  // namespace

Run setup_exec(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  add_trace_options(app, *options, {.execs = true, .exits = true});
  app.parse_complete_callback([options] { complete(*options); });
  set_examples(app,
               "  sudo bpftrap exec                        every program that is executed\n"
               "  sudo bpftrap exec -- make -j4            only programs that make executes\n"
               "  sudo bpftrap exec --min-duration 100ms   programs that ran for 100 ms or more\n"
               "  sudo bpftrap exec --event +failed        failed execs too\n"
               "  sudo bpftrap exec --json | jq .args      JSON for other tools");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
