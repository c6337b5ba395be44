// SPDX-License-Identifier: GPL-2.0-only
// `bpftrap diff`: compares two recordings.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/load_run.h"
#include "cli/name_glob.h"
#include "cli/recording.h"
#include "core/analysis/diff/report.h"
#include "core/os/error.h"
#include "core/os/exit_status.h"
#include "core/os/messages.h"
#include "core/os/signals.h"
#include "core/output/json_sink.h"

namespace bpftrap {

namespace {

struct DiffCommandOptions {
  std::vector<std::string> files;
  std::vector<bpftrap_globs> ignored;
  OutputOptions output;
};

void say_doubts(const LoadedRun& loaded) {
  for (const std::string& doubt : loaded.doubts) {
    say(fmt::format("{}: {}; differences may be missing or wrong", loaded.path, doubt));
  }
}

void write(const std::vector<DiffRecord>& records, const DiffCommandOptions& options) {
  StopSignals signals;
  std::unique_ptr<Output> output = open_output(options.output, signals.fd());
  if (!output) {
    return;
  }
  if (options.output.format != nullptr) {
    WallClock clock = WallClock::recorded();
    std::unique_ptr<Sink> sink =
        make_sink(options.output, SinkSetup{output->buffer(), clock}, nullptr);
    for (const DiffRecord& record : records) {
      sink->write(record);
    }
  } else {
    DiffLook look{.color = wants_color(options.output, *output)};
    look.columns = output->terminal() ? output->terminal_columns() : 0;
    output->buffer() += diff_report(records, look);
  }
  Patience patience(signals);
  output->drain(patience);
  output->close();
}

int run(const DiffCommandOptions& options) {
  bool is_default = options.files.empty();
  std::string path_a = is_default ? fmt::format("{}.old", default_recording) : options.files[0];
  std::string path_b = is_default ? default_recording : options.files[1];
  if (is_default && ::access(path_a.c_str(), F_OK) != 0) {
    throw Error(fmt::format("there is no earlier recording '{}' here", path_a), 0,
                "run `bpftrap record` again, or name two FILEs");
  }
  LoadedRun a = load_run(path_a);
  LoadedRun b = load_run(path_b);
  say_doubts(a);
  say_doubts(b);
  // Whole keys, however many: equal ones are one text, and those of the runs are bounded.
  Texts keys(SIZE_MAX / 2);
  DiffTree tree_a(a.run, keys);
  DiffTree tree_b(b.run, keys);
  DiffOptions how;
  if (!options.ignored.empty()) {
    how.ignores = [&options](std::string_view name) {
      return std::any_of(options.ignored.begin(), options.ignored.end(),
                         [name](const bpftrap_globs& glob) { return globs_match(glob, name); });
    };
  }
  std::vector<DiffRecord> records = compare(tree_a, tree_b, how);
  write(records, options);
  bool differs = std::any_of(records.begin(), records.end(),
                             [](const DiffRecord& record) { return record.decides(); });
  return differs ? differences_found : ended_as_asked;
}

}  // namespace

Run setup_diff(CLI::App& app) {
  auto options = std::make_shared<DiffCommandOptions>();
  app.add_option("A B", options->files, "the recordings (default trace.bpftrap.old trace.bpftrap)")
      ->expected(1, 2)
      ->check(&refuse_empty_path);
  add_repeatable_option(
      app, "--ignore",
      [options](std::string_view text) {
        constexpr unsigned name_most = 60;
        options->ignored.push_back(compile_globs({std::string(text)}, name_most));
      },
      "ignore differences of programs with this name, and of those that they start (repeatable)",
      "GLOB");
  begin_group(app, "Output");
  add_format_options(app, options->output);
  add_color_option(app, options->output);
  app.parse_complete_callback([options] {
    if (options->files.size() == 1) {
      refuse_usage("A B: one recording is missing; expected two, or none for the default");
    }
  });
  set_examples(app,
               "  bpftrap diff                              the last two runs of bpftrap record\n"
               "  bpftrap diff good.bpftrap bad.bpftrap     two recordings\n"
               "  bpftrap diff --ignore curl                without what curl does");
  return [options] { return run(*options); };
}

}  // namespace bpftrap
