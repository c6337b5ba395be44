// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap record`: keeps every fork, exec and end in a file, or in a directory.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/directory_options.h"
#include "cli/process_command.h"
#include "cli/recording.h"

namespace bpftrap {

namespace {

struct RecordOptions {
  TraceOptions trace;
  DirectoryOptions directory;
};

int run(const RecordOptions& options) {
  ProcessCommand command;
  command.name = "record";
  command.records = true;
  command.directory = options.directory.path.empty() ? nullptr : &options.directory;
  return trace_processes(command, options.trace);
}

}  // namespace

Run setup_record(CLI::App& app) {
  auto options = std::make_shared<RecordOptions>();
  options->trace.output.output = default_recording;
  add_record_options(app, options->trace);
  add_directory_options(app, options->directory);
  app.parse_complete_callback([options, &app] {
    complete(options->trace);
    check_directory_options(app, options->directory, options->trace);
  });
  set_examples(app,
               "  sudo bpftrap record                        everything, until Ctrl-C\n"
               "  sudo bpftrap record -- make -j4            make and its descendants\n"
               "  sudo bpftrap record -o build.bpftrap -- make\n"
               "  sudo bpftrap record --dir /var/log/bpftrap --keep 4G --keep-for 30d\n"
               "  bpftrap show                               print what was recorded\n"
               "  bpftrap show -x                            print what failed");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
