// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap record`: keeps every fork, exec and end in a file.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/process_command.h"
#include "cli/recording.h"

namespace bpftrap {

namespace {

int run(const TraceOptions& options) {
  ProcessCommand command;
  command.name = "record";
  command.records = true;
  return trace_processes(command, options);
}

}  // namespace

Run setup_record(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  options->output.output = default_recording;
  add_record_options(app, *options);
  app.parse_complete_callback([options] { complete(*options); });
  set_examples(app,
               "  sudo bpftrap record                        everything, until Ctrl-C\n"
               "  sudo bpftrap record -- make -j4            make and its descendants\n"
               "  sudo bpftrap record -o build.bpftrap -- make\n"
               "  bpftrap show                               print what was recorded\n"
               "  bpftrap show -x                            print what failed");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
