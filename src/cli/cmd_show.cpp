// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap show`: prints a recording.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/show.h"

namespace bpftrap {

Run setup_show(CLI::App& app) {
  auto options = std::make_shared<ShowOptions>();
  add_show_options(app, *options);
  app.parse_complete_callback([options] { check_show_options(*options); });
  set_examples(app,
               "  bpftrap show                           trace.bpftrap as a table\n"
               "  bpftrap show build.bpftrap --forest    as a tree\n"
               "  bpftrap show --failed                  only failures\n"
               "  bpftrap show --event exit -d 1s        processes that lived 1 s or more\n"
               "  bpftrap show --since -10m --json       the last ten minutes as JSON\n"
               "  bpftrap show 4711-123456789            one process in full\n"
               "  bpftrap show --perfetto trace.pftrace  for ui.perfetto.dev\n"
               "  bpftrap show --compile-commands        for clangd\n"
               "  bpftrap show --script 4711-123456789   run it again");
  return [options] { return show_recording(*options); };
}

}  // namespace bpftrap
